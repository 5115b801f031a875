# Reference numbers of the rate trend model, from R's own glm().
# Run from this folder:  Rscript make_trend.R
# Needs base R and the package sandwich (Debian r-cran-sandwich) for the Newey-West case. Writes monthly_counts.csv (the input) and expected.csv (the numbers).
set.seed(20260630)
month <- 24294:24329                      # year * 12 + month: 2024-06 .. 2027-05
years <- (month - month[1]) / 12
angle <- 2 * pi * month / 12
people <- round(seq(5200, 9100, length.out = length(month)) + rnorm(length(month), 0, 120))
rate <- exp(log(0.46) + 0.055 * years + 0.06 * cos(angle) - 0.03 * sin(angle))
controlled <- rnbinom(length(month), mu = people * rate, size = 900)
data <- data.frame(month, numerator = controlled, denominator = people)
write.csv(data, "monthly_counts.csv", row.names = FALSE, quote = FALSE)

numbers <- function(name, terms, level) {
  call <- paste0("numerator ~ ", terms, " + offset(log(denominator))")
  model <- glm(as.formula(call), family = quasipoisson(), data = data,
               control = glm.control(epsilon = 1e-14, maxit = 100))
  table <- summary(model)$coefficients
  t <- qt(0.5 + level / 2, model$df.residual)
  b <- table["years", "Estimate"]; se <- table["years", "Std. Error"]
  link <- predict(model, se.fit = TRUE, type = "link")
  rate <- link$fit - log(data$denominator)
  one <- function(what, value, index = 0) data.frame(case = name, what, index, value)
  rbind(one("slope", b), one("slope_se", se), one("p_value", table["years", "Pr(>|t|)"]),
        one("annual_change", 100 * (exp(b) - 1)),
        one("annual_change_lower", 100 * (exp(b - t * se) - 1)),
        one("annual_change_upper", 100 * (exp(b + t * se) - 1)),
        one("dispersion", summary(model)$dispersion), one("degrees_of_freedom", model$df.residual),
        one("fitted", exp(rate), month), one("lower", exp(rate - t * link$se.fit), month),
        one("upper", exp(rate + t * link$se.fit), month))
}
season <- "years + cos(angle) + sin(angle) + cos(2 * angle) + sin(2 * angle)"
newey_west <- function(name, lag) {
  model <- glm(as.formula(paste("numerator ~", season, "+ offset(log(denominator))")),
               family = quasipoisson(), data = data, control = glm.control(epsilon = 1e-14, maxit = 100))
  v <- sandwich::NeweyWest(model, lag = lag, prewhite = FALSE, adjust = TRUE)
  data.frame(case = name, what = "slope_se", index = 0, value = sqrt(v["years", "years"]))
}
found <- rbind(numbers("two_harmonics_95", season, 0.95), numbers("no_season_90", "years", 0.90),
               newey_west("newey_west_3", 3))
header <- c(paste("#", R.version.string, "- stats::glm, family quasipoisson, script make_trend.R"),
            paste("# sandwich", packageVersion("sandwich"),
                  "- NeweyWest(model, lag = 3, prewhite = FALSE, adjust = TRUE), case newey_west_3"),
            "# call: glm(numerator ~ years [+ cos/sin terms] + offset(log(denominator)), family = quasipoisson())")
writeLines(header, "expected.csv")
found$value <- sprintf("%.15g", found$value)
suppressWarnings(write.table(found, "expected.csv", sep = ",", row.names = FALSE, quote = FALSE, append = TRUE))
