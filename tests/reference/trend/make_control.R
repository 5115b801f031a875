# Reference numbers of p' and u' charts and of the recent-trend marker, from R's stats alone (qcc is not packaged).
# Run from this folder:  Rscript make_control.R
# Data: monthly_counts.csv (made by make_trend.R) for the p chart, seatbelts.csv for the u chart. Laney's correction is
# written out from his definition; the chi-square of a linear trend is stats::prop.trend.test, the weighted slope stats::lm.
out <- NULL
say <- function(case, what, index, value) out <<- rbind(out, data.frame(case, what, index, value))
chart <- function(case, x, n, share) {
  centre <- sum(x) / sum(n)
  error <- sqrt(centre * (if (share) 1 - centre else 1) / n)
  z <- (x / n - centre) / error
  sigma_z <- mean(abs(diff(z))) / (2 / sqrt(pi))
  say(case, "centre", 0, centre)
  say(case, "sigma_z", 0, sigma_z)
  for (at in c(1, 7, length(x))) {
    say(case, "lower", at - 1, max(0, centre - 3 * error[at] * sigma_z))
    say(case, "upper", at - 1, centre + 3 * error[at] * sigma_z)
    say(case, "plain_upper", at - 1, centre + 3 * error[at])
  }
}
months <- read.csv("monthly_counts.csv")
chart("p", months$numerator, months$denominator, TRUE)
belts <- read.csv("seatbelts.csv")
chart("u", belts$numerator, belts$denominator, FALSE)

# Published vectors of the marker (five years, oldest first), from the unit tests of the English public health profiles.
x <- c(994, 1023, 1199, 1332, 1367); n <- c(40299, 41527, 42811, 44064, 44701)
say("proportions", "chi_square", 0, prop.trend.test(x, n, score = 1:5)$statistic[[1]])
weighted <- function(case, value, lower, upper) {
  t <- 1:5; w <- (3.92 / (upper - lower))^2
  fit <- lm(value ~ t, weights = w)
  # Variance known from the intervals: the residual scale of lm is taken out.
  error <- summary(fit)$coefficients["t", "Std. Error"] / summary(fit)$sigma
  say(case, "slope", 0, coef(fit)[["t"]])
  say(case, "chi_square", 0, (coef(fit)[["t"]] / error)^2)
}
weighted("set_1", c(24.67, 24.6, 28, 30.2, 30.6), c(23.16, 23.15, 26.44, 28.63, 28.98), c(26.25, 26.19, 29.64, 31.9, 32.25))
weighted("set_2", c(20.5506, 19.5952, 19.0349, 21.3966, 18.4372), c(18.1803, 17.3444, 16.8421, 19.0918, 16.2925),
         c(23.1427, 22.0602, 21.4394, 23.8975, 20.7941))
say("critical", "chi_square", 0, qchisq(0.998, 1))
writeLines(paste("#", R.version.string, "- script make_control.R; stats::prop.trend.test, stats::lm, stats::qchisq"), "control.csv")
out$value <- sprintf("%.15g", out$value)
suppressWarnings(write.table(out, "control.csv", sep = ",", row.names = FALSE, quote = FALSE, append = TRUE))
