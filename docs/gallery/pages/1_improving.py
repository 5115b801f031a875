# %% [vi]
# # Việc kiểm soát ở tỉnh tôi có tốt lên không?
#
# Người trong trang này là **hư cấu**, nên ta biết sự thật để đối chiếu câu trả lời: huyết áp không đổi cho đến tháng 10/2024;
# từ đó bảy trong chín huyện được tập huấn và huyết áp ở đó giảm 0,9 mmHg mỗi tháng ([invented.py](invented.py)).
#
# Trước hết: mở sổ đăng ký, lấy tỷ lệ đạt mục tiêu theo tháng của tỉnh.
# %% [en]
# # Is control improving in my province?
#
# The people of this page are **invented**, so the truth is known and the answer can be judged: pressures stay as they are
# until October 2024; from then on seven of nine districts are trained, and pressures there fall by 0.9 mmHg a month
# ([invented.py](invented.py)).
#
# First: open the registry and take the province's monthly control rate.
# %%
import ncdsurv as ns
from invented import PROVINCE, registry

release = ns.open_store(registry()).releases.latest()
values = release.values(
    "control_rate", disease="hypertension", preset="hearts", level="province", vintage="2024", area=PROVINCE
)
# %% [vi]
# ## Một đường thẳng
# %% [en]
# ## One straight line
# %%
trend = ns.trend(values, lang="en")
trend.plot()
print(trend.headline())
# %% [vi]
# Có tăng. Nhưng các điểm không nằm quanh đường thẳng: `trend.explain()` báo số dư tương quan mạnh và khuyên tìm điểm gãy.
# Con số "mỗi năm" của cả giai đoạn không đúng cho đoạn nào.
# %% [en]
# It rises. But the points do not scatter around the line: `trend.explain()` says that the residuals are strongly
# correlated and advises to look for bends. A change "per year" of the whole span is true of no part of it.
# %% [vi]
# ## Gãy ở đâu?
# %% [en]
# ## Where does it bend?
# %%
bends = ns.joinpoint(values, lang="en")
bends.plot()
bends.table()
# %% [vi]
# **Đối chiếu.** Tìm ra đúng lúc bắt đầu tập huấn; trước đó không thấy tăng hay giảm, sau đó tăng rõ. Đây là thay đổi tương
# đối: 30% lên 33% là +10%. Điểm gãy cho biết *khi nào*, không cho biết *vì sao*.
# %% [en]
# **Judged.** It finds when the training began; before it neither rise nor fall, afterwards a clear rise. These are
# relative changes: 30% to 33% is +10%. A joinpoint says *when*, never *why*.
# %% [vi]
# ## Còn gần đây?
#
# Năm điểm cuối (mỗi điểm cách ba tháng, vì mỗi giá trị nhìn lại ba tháng), một phép thử, một câu.
# %% [en]
# ## And lately?
#
# The last five points (three months apart, as each value looks back three months), one test, one sentence.
# %%
chart = ns.control_chart(values, lang="en")
print(chart.marker_words("en"))
