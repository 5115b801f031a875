# Reference numbers of joinpoint regression, from R: segmented (Muggeo), nlme and an exhaustive search written out.
# Run from this folder:  Rscript make_joinpoint.R
# Needs r-cran-segmented and r-cran-nlme (Debian). Data: datasets::airmiles, LakeHuron and Nile, segmented::down.
# Writes series.csv (the input) and expected.csv (the numbers).
suppressMessages({library(segmented); library(nlme)})
out <- NULL
say <- function(case, what, index, value) out <<- rbind(out, data.frame(case, what, index, value))

air <- data.frame(time = as.numeric(time(airmiles)), y = log(as.numeric(airmiles)), w = 1)
huron <- data.frame(time = as.numeric(time(LakeHuron)), y = as.numeric(LakeHuron), w = 1)
nile <- data.frame(time = as.numeric(time(Nile)), y = log(as.numeric(Nile)), w = 1)
data(down); down <- down[down$cases > 0, ]
down <- data.frame(time = down$age, y = log(down$cases / down$births), w = down$cases)
series <- rbind(cbind(series = "airmiles", air), cbind(series = "huron", huron), cbind(series = "nile", nile), cbind(series = "down", down))
series$y <- sprintf("%.17g", series$y)
write.csv(series, "series.csv", row.names = FALSE, quote = FALSE)

# 1. Joinpoints anywhere in time: segmented() on lm(), its slopes, and aapc(); vcov() has the joinpoints in it.
by_segmented <- function(case, data, start) {
  set.seed(1)
  line <- lm(y ~ time, data = data, weights = w)
  fit <- segmented(line, seg.Z = ~time, psi = start)
  k <- nrow(fit$psi)
  say(case, "sse", 0, sum(data$w * residuals(fit)^2))
  say(case, "freedom", 0, fit$df.residual)
  slopes <- slope(fit, digits = 15)$time
  for (i in 1:k) { say(case, "joinpoint", i, fit$psi[i, "Est."]); say(case, "joinpoint_se", i, fit$psi[i, "St.Err"]) }
  for (i in 1:(k + 1)) { say(case, "slope", i, slopes[i, "Est."]); say(case, "slope_se", i, slopes[i, "St.Err."]) }
  average <- aapc(fit, "time")
  say(case, "aapc", 0, average[["Est."]]); say(case, "aapc_se", 0, average[["St.Err"]])
}
by_segmented("airmiles_1", air, 1945)
by_segmented("huron_2", huron, c(1925, 1960))
by_segmented("down_1", down, 31)

# 2. Joinpoints on observations: every combination tried with lm.fit; criteria as in the Joinpoint help.
exhaustive <- function(case, data, most, end = 2, between = 2) {
  n <- nrow(data); x <- data$time; root <- sqrt(data$w)
  design <- function(at) cbind(1, x, if (length(at)) sapply(x[at], function(t) pmax(x - t, 0)))
  for (k in 0:most) {
    places <- (end + 1):(n - end)
    tried <- if (k == 0) list(integer(0)) else if (k == 1) as.list(places) else
      Filter(function(at) all(diff(at) > between), combn(places, k, simplify = FALSE))
    sums <- sapply(tried, function(at) sum(lm.fit(design(at) * root, data$y * root)$residuals^2))
    best <- tried[[which.min(sums)]]; sse <- min(sums)
    say(case, "sse", k, sse)
    for (i in seq_along(best)) say(case, "joinpoint", 10 * k + i, x[best[i]])
    r2 <- 0
    for (i in seq_along(best)) {
      low <- if (i == 1) -Inf else x[best[i - 1]]; high <- if (i == k) Inf else x[best[i + 1]]
      part <- x > low & x <= high
      straight <- lm(y ~ time, data = data[part, ], weights = w)
      bent <- lm(y ~ time + pmax(time - x[best[i]], 0), data = data[part, ], weights = w)
      r2 <- max(r2, 1 - deviance(bent) / deviance(straight))
    }
    say(case, "bic", k, log(sse / n) + (2 * k + 2) * log(n) / n)
    say(case, "bic3", k, log(sse / n) + (3 * k + 2) * log(n) / n)
    say(case, "wbic", k, log(sse / n) + ((2 + r2) * k + 2) * log(n) / n)
  }
}
exhaustive("airmiles_grid", air, 3)
exhaustive("down_grid", down, 2)

# 3. First-order autocorrelation: gls() with a given corAR1, joinpoint 1945; covariance with the joinpoint in it.
rho <- 0.4; at <- 1945
air$bend <- pmax(air$time - at, 0)
fit <- gls(y ~ time + bend, data = air, correlation = corAR1(rho, fixed = TRUE))
inverse <- solve(corMatrix(Initialize(corAR1(rho, form = ~1), data = air)))
j <- cbind(1, air$time - 1937, air$bend, -coef(fit)[["bend"]] * (air$time > at))
left <- residuals(fit); sse <- drop(t(left) %*% inverse %*% left)
v <- sse / (nrow(air) - 4) * solve(t(j) %*% inverse %*% j)
say("airmiles_ar", "slope", 1, coef(fit)[["time"]])
say("airmiles_ar", "slope", 2, coef(fit)[["time"]] + coef(fit)[["bend"]])
say("airmiles_ar", "slope_se", 1, sqrt(v[2, 2]))
say("airmiles_ar", "slope_se", 2, sqrt(v[2, 2] + v[3, 3] + 2 * v[2, 3]))
say("airmiles_ar", "joinpoint_se", 1, sqrt(v[4, 4]))
say("airmiles_ar", "sigma_times_freedom", 0, fit$sigma^2 * (nrow(air) - 3))
say("airmiles_ar", "sse", 0, sse)

# 4. Permutation test of 0 against 1 joinpoint, written out: 19,999 shuffles of the residuals of the line.
set.seed(20260701)
for (name in c("nile", "nile_late")) {
  data <- if (name == "nile") nile else nile[nile$time > 1900, ]
  x <- data$time; n <- length(x); line <- qr(cbind(1, x))
  bends <- qr.resid(line, sapply(x[3:(n - 2)], function(t) pmax(x - t, 0)))
  ratio <- function(y) { r <- qr.resid(line, y); s <- sum(r^2); s / (s - max(drop(crossprod(bends, r))^2 / colSums(bends^2))) }
  r <- qr.resid(line, data$y); seen <- ratio(data$y)
  made <- replicate(19999, ratio(sample(r)))
  say(name, "p_value", 0, (1 + sum(made >= seen * (1 - 1e-12))) / 20000)
}

header <- c(paste("#", R.version.string, "- script make_joinpoint.R"),
            paste("# segmented", packageVersion("segmented"), "- segmented(lm(y ~ time, weights = w)), slope(), aapc();",
                  "nlme", packageVersion("nlme"), "- gls(correlation = corAR1(0.4, fixed = TRUE))"))
writeLines(header, "expected.csv")
out$value <- sprintf("%.15g", out$value)
suppressWarnings(write.table(out, "expected.csv", sep = ",", row.names = FALSE, quote = FALSE, append = TRUE))
