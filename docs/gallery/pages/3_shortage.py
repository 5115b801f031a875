# %% [vi]
# # Đợt thiếu thuốc có thể hiện trên số liệu không?
#
# Người trong trang này là **hư cấu** và sự thật đã biết: từ tháng 9/2025 huyện Càng Long thiếu thuốc, huyết áp ở đó cao
# thêm 8 mmHg; huyện Châu Thành bên cạnh không thiếu. Không huyện nào trong hai huyện được tập huấn
# ([invented.py](invented.py)).
# %% [en]
# # Did the drug shortage show?
#
# The people of this page are **invented** and the truth is known: from September 2025 the district of Càng Long is short
# of drugs and pressures there are 8 mmHg higher; Châu Thành next to it is not short. Neither district was trained
# ([invented.py](invented.py)).
# %%
import ncdsurv as ns
from invented import registry

CANG_LONG, CHAU_THANH, SHORTAGE = "844", "847", "2025-09"
release = ns.open_store(registry()).releases.latest()
values = release.values(
    "control_rate", disease="hypertension", preset="hearts", level="district", vintage="2024"
)
# %% [vi]
# ## Trước và sau
# %% [en]
# ## Before and after
# %%
short = ns.interrupted(values, SHORTAGE, area=CANG_LONG, lang="en")
short.plot()
short
# %% [vi]
# Đường đứt là điều sẽ có nếu không có gì xảy ra. Hai tháng đầu lẫn cả hai giai đoạn (mỗi giá trị nhìn lại ba tháng) nên
# không dùng để khớp.
# %% [en]
# The dashed line is what would have been had nothing happened. The first two months mix both sides (each value looks
# back three months) and are left out of the fit.
# %% [vi]
# ## Nơi không thiếu thuốc
#
# Có thể mọi nơi cùng giảm vì một lý do khác. Vì vậy hỏi cùng câu đó ở một huyện không thiếu thuốc.
# %% [en]
# ## A place that was not short
#
# Perhaps all fell, for some other reason. So the same question goes to a district that had its drugs.
# %%
spared = ns.interrupted(values, SHORTAGE, area=CHAU_THANH, lang="en")
print(spared.headline())
# %% [vi]
# **Đối chiếu.** Càng Long: mức giảm có khoảng tin cậy nằm hẳn dưới 0. Châu Thành: khoảng chứa 0. Đúng như đã đặt.
# %% [en]
# **Judged.** Càng Long: a fall whose interval lies wholly below 0. Châu Thành: an interval that holds 0. As was put in.
# %% [vi]
# ## Biểu đồ kiểm soát có báo không, và khi nào?
#
# Giới hạn lấy từ các tháng trước đợt thiếu; các tháng sau được xét theo giới hạn ấy.
# %% [en]
# ## Would a control chart have told, and when?
#
# Limits come from the months before the shortage; later months are judged by them.
# %%
chart = ns.control_chart(values, area=CANG_LONG, baseline="2025-08", lang="en")
chart.plot()
print(chart.headline())
