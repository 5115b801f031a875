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
from invented import provinces, registry

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
# **Đối chiếu.** Hai năm đầu các xã chỉ khác nhau do trạm; từ 2025 phía nam sẫm dần, phía bắc thì không.
# %% [en]
# **Judged.** In the first two years communes differ by their stations alone; from 2025 the south darkens, the north does not.
# %% [vi]
# ## Kiểm soát và phát hiện cùng lúc
#
# Kiểm soát tốt chưa đủ nếu ít người được phát hiện. Bản đồ hai chỉ số, mỗi chỉ số ba lớp: góc sẫm là nơi cả hai đều cao.
# %% [en]
# ## Control by detection
#
# Good control is not enough where few are detected. Two indicators on one map, three classes each: the dark corner is
# where both are high.
# %%
june = {
    "disease": "hypertension",
    "level": "commune",
    "vintage": "2025",
    "preset": "hearts",
    "period": "2026-06",
}
control, detection = release.values("control_rate", **june), release.values("detection_rate", **june)
ns.bivariate(control.drop_nulls("value"), detection.drop_nulls("value"), reference=reference, lang="en")
# %% [vi]
# ## Khi tỉnh to tỉnh nhỏ
#
# Trên bản đồ cả nước, tỉnh rộng lấn át tỉnh đông dân. Bản đồ ô cho mỗi tỉnh một ô bằng nhau, ghi tên và số. Số liệu ở đây
# được **sinh ngẫu nhiên** cho đủ 34 tỉnh: tăng dần từ bắc vào nam (`provinces` trong [invented.py](invented.py)).
# %% [en]
# ## Where provinces are unequal
#
# On a map of the nation wide provinces outshout populous ones. A tile map gives each the same square, with name and
# figure. These values are **drawn** for all 34 provinces: rising from north to south (`provinces` in
# [invented.py](invented.py)).
# %%
ns.tile_map(provinces(), period="2026-06", lang="en")
# %% [vi]
# ## Một trang web để rê chuột
#
# Một tệp duy nhất ([map.html](map.html)), mở được khi không có mạng: thanh trượt thời gian, tìm xã, số liệu dưới con trỏ.
# %% [en]
# ## A web page to point at
#
# One single file ([map.html](map.html)) that opens without a network: a slider over time, a search for communes, figures under the pointer.
# %%
page = ns.interactive_map(values, release=release, lang="en")
page.save("map.html").name
