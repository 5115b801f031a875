# %% [vi]
# # Bản đồ thay đổi thế nào theo thời gian?
#
# Người trong trang này là **hư cấu** và sự thật đã biết: từ tháng 10/2024 bảy trong chín huyện cũ của Trà Vinh được tập huấn;
# Càng Long và Châu Thành (phía bắc) thì không, và Càng Long thiếu thuốc từ tháng 9/2025 ([invented.py](invented.py)).
# %% [en]
# # What does the map look like over time?
#
# The people of this page are **invented** and the truth is known: from October 2024 seven of Trà Vinh's nine former
# districts are trained; Càng Long and Châu Thành (in the north) are not, and Càng Long is short of drugs from September 2025
# ([invented.py](invented.py)).
# %%
import ncdsurv as ns
from invented import registry

release = ns.open_store(registry()).releases.latest()
reference = release.reference()
years = ["2023-06", "2024-06", "2025-06", "2026-06"]
values = release.values(
    "control_rate", disease="hypertension", preset="hearts", level="commune", vintage="2025", period=years
).drop_nulls("value")
# %% [vi]
# ## Bốn năm cạnh nhau
#
# Cùng một chú giải, cùng ngưỡng phân lớp cho mọi tháng: màu có cùng nghĩa ở cả bốn bản đồ.
# %% [en]
# ## Four years side by side
#
# One legend, the same classes in all months: a colour means the same in each of the four.
# %%
ns.small_multiples(values, reference=reference, lang="en")
# %% [vi]
# **Chấm điểm.** Hai năm đầu các xã chỉ khác nhau do trạm; từ 2025 phía nam sẫm dần, phía bắc thì không.
# %% [en]
# **Judged.** In the first two years communes differ by their stations alone; from 2025 the south darkens, the north does not.
# %% [vi]
# ## Một trang web để rê chuột
#
# Một tệp duy nhất, mở được khi không có mạng: thanh trượt thời gian, tìm xã, số liệu dưới con trỏ.
# %% [en]
# ## A web page to point at
#
# One single file that opens without a network: a slider over time, a search for communes, figures under the pointer.
# %%
page = ns.interactive_map(values, release=release, lang="en")
page.save("map.html").stat().st_size // 1000  # kB
