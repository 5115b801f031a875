# Reference numbers of the forecast's drift model, from R's stats.
# Run from this folder:  Rscript make_forecast.R
# Base R alone. Data: datasets::UKDriverDeaths (monthly, Great Britain 1969-1984), the first 60 months, logarithms.
# Predictions for a known drift: KalmanRun and KalmanForecast with a diffuse start. Weights of the drifts: likelihood of
# the error contrasts, which the season, slope and level do not enter. Writes deaths.csv (the input), forecast.csv.
y <- log(as.numeric(UKDriverDeaths))[1:60]
n <- length(y); ahead <- 24
writeLines(c("y", sprintf("%.17g", y)), "deaths.csv")
out <- NULL
say <- function(what, cell, index, value) out <<- rbind(out, data.frame(what, cell, index, value))
share <- ((0:23) + 0.5) / 24
ratio <- share / (1 - share)

turn <- function(h) { a <- 2 * pi * h / 12; matrix(c(cos(a), -sin(a), sin(a), cos(a)), 2) }
step <- diag(6)
step[1, 2] <- 1 / 12
step[3:4, 3:4] <- turn(1); step[5:6, 5:6] <- turn(2)
for (cell in c(0, 6, 12, 23)) {
  wide <- 1e7 * (1 + ratio[cell + 1]^2)
  noise <- diag(c(ratio[cell + 1]^2, rep(0, 5)))
  model <- list(T = step, Z = c(1, 0, 1, 0, 1, 0), h = 1, V = noise, a = c(mean(y), rep(0, 5)),
                P = diag(wide, 6), Pn = diag(wide, 6))
  run <- KalmanRun(y, model, nit = -1L, update = TRUE)
  found <- KalmanForecast(ahead, attr(run, "mod"))
  for (at in c(1, 12, 24)) { say("mean", cell, at, found$pred[at]); say("variance", cell, at, found$var[at]) }
}

t <- 1:n
x <- cbind(1, t / 12, cos(2 * pi * t / 12), sin(2 * pi * t / 12), cos(4 * pi * t / 12), sin(4 * pi * t / 12))
contrasts <- qr.Q(qr(x), complete = TRUE)[, -(1:6)]
z <- t(contrasts) %*% y
log_weight <- sapply(ratio, function(r) {
  v <- t(contrasts) %*% (diag(n) + r^2 * outer(t, t, pmin)) %*% contrasts
  -determinant(v)$modulus / 2 - (n - 6) / 2 * log(sum(z * solve(v, z)))
})
weight <- exp(log_weight - max(log_weight))
for (cell in 0:23) say("weight", cell, 0, (weight / sum(weight))[cell + 1])

out$value <- sprintf("%.15g", out$value)
writeLines(c(paste("#", R.version.string, "- script make_forecast.R, data UKDriverDeaths"),
             "# mean, variance: stats::KalmanRun(y, model, update = TRUE), stats::KalmanForecast(24, model)",
             "# weight: likelihood of error contrasts, qr.Q(qr(x), complete = TRUE)"), "forecast.csv")
suppressWarnings(write.table(out, "forecast.csv", sep = ",", row.names = FALSE, quote = FALSE, append = TRUE))
