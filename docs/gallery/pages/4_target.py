# %% [vi]
# # Đến năm 2030 có đạt mục tiêu không?
#
# Câu hỏi này cần nhiều năm hơn một sổ đăng ký mới có. Vì vậy chuỗi dưới đây được **sinh ngẫu nhiên**, không đếm từ người:
# 2.400 người đang quản lý, tỷ lệ đạt mục tiêu nhích lên đều trên thang logit, có ngẫu nhiên và mùa đông
# (`long_series` trong [invented.py](invented.py)). Cả phần "tương lai" sau tháng 6/2026 cũng đã sinh sẵn để đối chiếu;
# dự báo không được nhìn thấy phần đó. Mức 60% là ví dụ, không phải chỉ tiêu của văn bản nào.
# %% [en]
# # Will we meet the target of 2030?
#
# This question needs more years than a young registry has. So the series below is **drawn**, not counted from people:
# 2,400 people under care, a share controlled that drifts up steadily on the logit scale, with chance and winters
# (`long_series` in [invented.py](invented.py)). Its "future" after June 2026 is drawn as well, to judge by; the forecast
# does not see it. The 60% is an example, the target of no document.
# %%
from matplotlib.dates import datestr2num

import ncdsurv as ns
from invented import LAST, long_series

series = long_series()
known, came = series.filter(series["period"] <= LAST), series.filter(series["period"] > LAST)
# %%
forecast = ns.forecast(known, "2030", target=60, lang="en")
axes = forecast.plot()
print(forecast.headline())
# %% [vi]
# Dải là khoảng dự báo 95%. Nó đã được kiểm lại trên chính chuỗi này: cắt chuỗi ở nhiều tháng trước, dự báo, rồi so với
# điều đã xảy ra.
# %% [en]
# The band is the 95% prediction interval. It was checked on this very series: cut at many earlier months, forecast, and
# held against what came.
# %%
forecast.table()
# %% [vi]
# ## Điều đã đến
# %% [en]
# ## What came
# %%
when = datestr2num([f"{month}-01" for month in came["period"]])
axes.plot(when, came["value"], "o", ms=3, color="#009E73")
axes.figure
# %% [vi]
# **Đối chiếu.** Các điểm tháng nằm trong dải. Xác suất không phải lời hứa: nó giả định mọi việc cứ tiếp tục như trước.
# Với chuỗi ngắn hoặc có gián đoạn, dải rộng đến mức không nói lên gì, và đó mới là câu trả lời đúng.
# %% [en]
# **Judged.** The months lie within the band. A probability is no promise: it takes all to go on as before. With a short
# or broken series the band grows so wide that it says nothing, and that is then the right answer.
