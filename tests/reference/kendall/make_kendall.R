# Reference numbers of the Mann-Kendall test, from R's own cor.test(method = "kendall") and written-out sums.
# Run from this folder:  Rscript make_kendall.R
# Needs base R only. Data: datasets::Nile (1871-1970), nottem (monthly temperature), UKDriverDeaths (monthly).
# Writes series.csv (the input) and expected_r.csv (the numbers).
out <- NULL
say <- function(case, what, value) out <<- rbind(out, data.frame(case, what, value))
series <- rbind(data.frame(series = "nile", month = seq_along(Nile), value = as.numeric(Nile)),
                data.frame(series = "nottem", month = 12 * 1920 + seq_along(nottem), value = as.numeric(nottem)),
                data.frame(series = "deaths", month = 12 * 1969 + seq_along(UKDriverDeaths), value = as.numeric(UKDriverDeaths)))
write.csv(series, "series.csv", row.names = FALSE, quote = FALSE)
score <- function(y) sum(sapply(seq_along(y)[-1], function(j) sum(sign(y[j] - y[1:(j - 1)]))))
slopes <- function(t, y) { i <- combn(length(y), 2); (y[i[2, ]] - y[i[1, ]]) / (t[i[2, ]] - t[i[1, ]]) }
for (name in c("nile", "deaths")) {
  d <- series[series$series == name, ]
  test <- suppressWarnings(cor.test(d$month, d$value, method = "kendall", exact = FALSE, continuity = TRUE))
  say(name, "score", score(d$value)); say(name, "statistic", test$statistic[["z"]]); say(name, "p_value", test$p.value)
  say(name, "slope", 12 * median(slopes(d$month, d$value)))
}
ten <- series[series$series == "nile", ][26:35, ]
say("nile_ten", "p_value", cor.test(ten$month, ten$value, method = "kendall", exact = TRUE)$p.value)
for (name in c("nottem", "deaths")) {
  d <- series[series$series == name, ]
  parts <- split(d, d$month %% 12)
  say(paste0(name, "_season"), "score", sum(sapply(parts, function(p) score(p$value))))
  say(paste0(name, "_season"), "slope", 12 * median(unlist(lapply(parts, function(p) slopes(p$month, p$value)))))
}
writeLines(paste("#", R.version.string, "- stats::cor.test(method = 'kendall', exact = FALSE, continuity = TRUE); script make_kendall.R"), "expected_r.csv")
out$value <- sprintf("%.15g", out$value)
suppressWarnings(write.table(out, "expected_r.csv", sep = ",", row.names = FALSE, quote = FALSE, append = TRUE))
