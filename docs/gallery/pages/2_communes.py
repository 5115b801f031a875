# %% [vi]
# # Xã, phường nào khác biệt?
#
# Người trong trang này là **hư cấu** và sự thật đã biết: 12 xã của hai huyện cũ Càng Long và Châu Thành không được tập huấn
# (năm xã trong đó còn thiếu thuốc), 29 xã còn lại được tập huấn; ngoài ra mỗi trạm lệch ngẫu nhiên khoảng 3,5 mmHg
# ([invented.py](invented.py)).
# %% [en]
# # Which communes differ?
#
# The people of this page are **invented** and the truth is known: the 12 communes of the two former districts of Càng Long
# and Châu Thành were not trained (five of them are short of drugs as well), the other 29 were; besides, each station is off
# by chance, by some 3.5 mmHg ([invented.py](invented.py)).
# %%
import ncdsurv as ns
from invented import registry, untrained

release = ns.open_store(registry()).releases.latest()
reference = release.reference()
values = release.values(
    "control_rate", disease="hypertension", preset="hearts", level="commune", vintage="2025", period="2026-06"
).drop_nulls("value")
# %% [vi]
# ## Khác biệt hay ngẫu nhiên?
#
# Xã ít người dao động nhiều hơn xã đông người. Biểu đồ phễu vẽ giới hạn mà ngẫu nhiên đặt ra cho từng cỡ xã.
# %% [en]
# ## Different, or chance?
#
# A small commune swings more than a large one. A funnel draws the limits that chance sets for each size.
# %%
ns.funnel(values, overdispersion="none", reference=reference, lang="en").plot()
# %% [vi]
# Nhiều xã nằm ngoài, cả trên lẫn dưới: nhiều hơn hẳn mức ngẫu nhiên. Nếu không nói gì thêm, `ns.funnel` thấy điều đó, nới
# giới hạn theo mức các xã thực sự khác nhau, và khi ấy chỉ những xã lệch hẳn mới còn nổi lên:
# %% [en]
# Many communes lie outside, above and below: far more than by chance. Left to itself, `ns.funnel` sees that, widens the
# limits by how much communes truly differ, and then only those far off even so stand out:
# %%
print(ns.funnel(values, reference=reference, lang="en").headline())
# %% [vi]
# ## Bản đồ số liệu thô
#
# Xám là nơi không có số liệu: tỉnh Vĩnh Long mới gồm ba tỉnh cũ, sổ đăng ký này chỉ có Trà Vinh. Gạch chéo là số nhỏ.
# %% [en]
# ## The map of raw rates
#
# Grey is where there are no figures: the new Vĩnh Long joins three provinces, this registry holds Trà Vinh alone. Hatching
# marks small numbers.
# %%
ns.choropleth(values, reference=reference, lang="en")
# %% [vi]
# ## Bớt phần ngẫu nhiên
#
# Làm trơn kéo mỗi xã về trung bình, càng ít người càng kéo nhiều. Bốn xã ít người nhất:
# %% [en]
# ## Chance taken down
#
# Smoothing draws each commune to the mean, the more the fewer its people. The four with the fewest:
# %%
smoothed = ns.smooth(values, reference=reference, lang="en")
smoothed.data.sort("denominator").select("name", "denominator", "raw", "smoothed", "weight").head(4)
# %% [vi]
# ## Có một vùng khác hẳn không?
#
# Phép quét thử mọi vòng tròn quanh mọi xã, và trả giá cho việc thử nhiều lần.
# %% [en]
# ## Is there a region that is different?
#
# The scan tries every circle around every commune, and pays for trying so many.
# %%
found = ns.clusters(values, method="scan", reference=reference, lang="en")
found.plot()
# %%
low = found.data.filter(found.data["cluster"] == 1)["area_code"].to_list()
len(low), len(set(low) & set(untrained()))
# %% [vi]
# **Đối chiếu.** Cụm thấp gồm 14 xã, trong đó 11 xã thuộc 12 xã không được tập huấn; ba xã thừa nằm lọt giữa các xã ấy, xã
# thiếu nằm ở rìa. Vòng tròn chỉ gần đúng với hình dạng thật; nó chỉ nơi cần hỏi, không nói vì sao.
# %% [en]
# **Judged.** The low cluster has 14 communes; 11 of the 12 that were not trained are among them. The three too many lie
# between those, the one missed at the rim. A circle only nearly fits a real shape; it shows where to ask, not why.
