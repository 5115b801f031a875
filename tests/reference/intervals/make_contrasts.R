# Indirect standardisation, funnels, dispersion, inequality and contrasts, worked out in R to hold
# ncdsurv.indicators.rates against numbers made outside.
# Run: Rscript make_contrasts.R   (Debian: r-base-core, r-cran-epitools, r-cran-epi, r-cran-epir, r-cran-popepi,
# r-cran-metafor)
suppressMessages({library(epitools); library(popEpi); library(metafor); library(data.table)})
version <- function(p) paste0(p, " ", packageVersion(p))
stamp <- paste0(R.version.string, "; ", paste(sapply(c("epitools", "Epi", "epiR", "popEpi", "metafor"), version), collapse = "; "))
write <- function(frame, file, call) {
  connection <- file(file, "w")
  writeLines(c(paste("#", stamp), paste("#", call)), connection)
  write.csv(format(frame, digits = 15, trim = TRUE), connection, row.names = FALSE, quote = FALSE)
  close(connection)
}

# --- direct and indirect standardisation: popEpi and epitools on one population of six bands
age <- c("18-29", "30-39", "40-49", "50-59", "60-69", "70+")
count <- c(4, 11, 38, 95, 140, 61)
population <- c(41250, 39810, 30170, 21540, 10360, 4120)
weight <- c(34.4, 25.1, 16.9, 12.2, 7.6, 3.8)
std_count <- c(51, 160, 402, 1150, 1502, 733)
std_population <- c(512300, 466100, 371900, 250400, 129800, 61200)
direct <- popEpi::rate(data.table(age = factor(age, age), obs = count, pyrs = population), obs = "obs", pyrs = "pyrs",
                       adjust = "age", weights = weight)
indirect <- ageadjust.indirect(count, population, std_count, std_population)
byar <- function(x, z) c(x * (1 - 1 / (9 * x) - z / (3 * sqrt(x)))^3, (x + 1) * (1 - 1 / (9 * (x + 1)) + z / (3 * sqrt(x + 1)))^3)
expected <- sum(population * std_count / std_population)
exact_ratio <- poisson.test(sum(count), expected)$conf.int
write(data.frame(age, count, population, weight, std_count, std_population), "indirect_input.csv", "input of indirect.csv")
limits <- byar(sum(count), qnorm(0.975))
write(data.frame(direct_rate = 1e5 * direct$rate.adj, direct_se = 1e5 * direct$SE.rate.adj,
                 expected = expected, ratio = unname(indirect$sir["sir"]), rate = 1e5 * unname(indirect$rate["adj.rate"]),
                 lower = limits[1] / expected, upper = limits[2] / expected,
                 exact_lower = exact_ratio[1], exact_upper = exact_ratio[2]),
      "indirect.csv",
      "popEpi::rate(adjust = age, weights); epitools::ageadjust.indirect; Byar by Breslow and Day over expected; stats::poisson.test(x, T = expected)")
few <- c(0, 1, 4, 9)
over <- c(2.5, 0.8, 6.25, 3.1)
few_limits <- t(mapply(function(x, e) poisson.test(x, e)$conf.int, few, over))
write(data.frame(count = few, expected = over, ratio = few / over, lower = few_limits[, 1], upper = few_limits[, 2]),
      "ratio_exact.csv", "stats::poisson.test(x, T = expected)$conf.int")

# --- gamma limits at few and many events
gamma_rows <- do.call(rbind, lapply(c(0.02, 0.1, 1, 20), function(k) {
  x <- round(count * k)
  a <- ageadjust.direct(x, population, stdpop = weight)
  b <- ageadjust.direct(x, population, stdpop = weight, conf.level = 0.998)
  data.frame(k, events = sum(x), rate = 1e5 * a["adj.rate"], lower = 1e5 * a["lci"], upper = 1e5 * a["uci"],
             lower998 = 1e5 * b["lci"], upper998 = 1e5 * b["uci"])
}))
write(gamma_rows, "gamma.csv", "epitools::ageadjust.direct(round(k * count), population, stdpop = weight, conf.level = 0.95 and 0.998)")

# --- two proportions
pairs <- data.frame(x = c(56, 9, 6, 5, 0, 0, 10, 410), n = c(70, 10, 7, 56, 10, 10, 10, 5000),
                    y = c(48, 3, 2, 0, 0, 0, 0, 505), m = c(80, 10, 7, 29, 20, 10, 20, 5100))
newcombe <- do.call(rbind, lapply(seq_len(nrow(pairs)), function(i) with(pairs[i, ], Epi::ci.pd(x, y, n - x, m - y, print = FALSE)[c(5, 6, 7)])))
katz <- do.call(rbind, lapply(seq_len(nrow(pairs)), function(i) with(pairs[i, ], {
  if (x == 0 || y == 0) return(c(NA, NA, NA))
  # rows exposed/unexposed, columns no/yes
  riskratio.wald(matrix(c(m - y, n - x, y, x), 2))$measure[2, ]
})))
write(data.frame(pairs, difference = newcombe[, 1], lower = newcombe[, 2], upper = newcombe[, 3],
                 ratio = katz[, 1], ratio_lower = katz[, 2], ratio_upper = katz[, 3]),
      "contrasts.csv", "Epi::ci.pd(method Newcombe 10); epitools::riskratio.wald")

# --- funnels: exact limits by the interpolation of Spiegelhalter (2005), with stats quantiles; normal limits
interpolated <- function(p, r, at, before) (r - (at - p) / (at - before))
size <- c(5, 20, 60, 250, 1000, 40000)
b <- 0.43
rows <- data.frame(size, benchmark = b)
for (level in c(0.95, 0.998)) for (side in c("lower", "upper")) {
  p <- if (side == "lower") (1 - level) / 2 else (1 + level) / 2
  r <- qbinom(p, size, b)
  rows[[paste0("binomial_", side, 1000 * level)]] <- pmin(1, pmax(0, interpolated(p, r, pbinom(r, size, b), pbinom(r - 1, size, b)) / size))
  e <- size / 10
  r <- qpois(p, e * b)
  rows[[paste0("poisson_", side, 1000 * level)]] <- pmax(0, interpolated(p, r, ppois(r, e * b), ppois(r - 1, e * b)) / e)
}
write(rows, "funnel.csv", "stats::qbinom/pbinom and qpois/ppois, interpolated as in Spiegelhalter (Stat Med 2005;24:1185-202), appendix A.1; Poisson sizes are size / 10")

# --- dispersion: DerSimonian-Laird tau squared of metafor (no drawing in), and winsorised phi with stats::quantile
set.seed(20260101)
areas <- 40
n <- round(exp(rnorm(areas, 5.5, 0.8)))
x <- rbinom(areas, n, plogis(rnorm(areas, qlogis(0.43), 0.25)))
pooled <- sum(x) / sum(n)
v <- pooled * (1 - pooled) / n
dl <- rma(yi = x / n, vi = v, method = "DL")
z <- (x / n - pooled) / sqrt(v)
w <- pmin(pmax(z, quantile(z, 0.1)), quantile(z, 0.9))
phi <- mean(w^2)
write(data.frame(count = x, total = n), "dispersion_input.csv", "input of dispersion.csv: set.seed(20260101)")
write(data.frame(pooled, phi0 = mean(z^2), tau2_dl = dl$tau2, phi,
                 tau2 = max(0, (areas * phi - (areas - 1)) / (sum(1 / v) - sum(1 / v^2) / sum(1 / v)))),
      "dispersion.csv", "metafor::rma(yi, vi, method = 'DL')$tau2; winsorised z with stats::quantile(type = 7)")

# --- inequality: stats::lm with weights on the middles of the cumulative population; intervals by the delta method
rank <- c(1, 2, 3, 3, 4, 5, 6, 7)
people <- c(5200, 3100, 8050, 2400, 6600, 4300, 9100, 2750)
value <- c(31.2, 35.9, 33.0, 41.7, 44.1, 43.0, 52.6, 50.3)
error <- c(1.1, 1.6, 0.9, 1.9, 1.2, 1.4, 0.8, 2.0)
zz <- qnorm(0.975)
cum <- tapply(people, rank, sum) / sum(people)
middle <- (cumsum(cum) - cum / 2)[as.character(rank)]
indices <- function(scale) {
  f <- switch(scale, plain = identity, log = log, logit = function(p) qlogis(p / 100))
  g <- switch(scale, plain = identity, log = exp, logit = function(t) 100 * plogis(t))
  d <- switch(scale, plain = function(t) rep(1, length(t)), log = exp, logit = function(t) 100 * dlogis(t))
  fit <- lm(f(value) ~ middle, weights = people)
  X <- model.matrix(fit)
  H <- solve(t(X) %*% (people * X)) %*% t(X * people)
  e <- (f(value + zz * error) - f(value - zz * error)) / (2 * zz)
  V <- H %*% diag(e^2) %*% t(H)
  A <- rbind(c(1, 0), c(1, 1))
  ends <- A %*% coef(fit)
  C <- A %*% V %*% t(A)
  b <- g(ends)
  k <- c(-d(ends)[1], d(ends)[2])
  q <- c(-d(ends)[1] / b[1], d(ends)[2] / b[2])
  sii <- b[2] - b[1]
  rii <- b[2] / b[1]
  s <- sqrt(t(k) %*% C %*% k)
  l <- sqrt(t(q) %*% C %*% q)
  data.frame(scale, sii, sii_lower = sii - zz * s, sii_upper = sii + zz * s,
             rii, rii_lower = rii * exp(-zz * l), rii_upper = rii * exp(zz * l))
}
write(data.frame(rank, people, value, lower = value - zz * error, upper = value + zz * error), "inequality_input.csv",
      "input of inequality.csv")
write(do.call(rbind, lapply(c("plain", "log", "logit"), indices)), "inequality.csv",
      "stats::lm(f(value) ~ middle, weights = people); covariance of the ends from the values' standard errors, delta method")
