# Intervals worked out in R, to hold ncdsurv.indicators.rates against numbers made outside.
# Run: Rscript make_intervals.R   (Debian: r-base-core, r-cran-epitools, r-cran-epir)
suppressMessages({library(epitools); library(epiR)})
version <- function(p) paste0(p, " ", packageVersion(p))
stamp <- paste0(R.version.string, "; ", version("epitools"), "; ", version("epiR"))
write <- function(frame, file, call) {
  connection <- file(file, "w")
  writeLines(c(paste("#", stamp), paste("#", call)), connection)
  write.csv(format(frame, digits = 15, trim = TRUE), connection, row.names = FALSE, quote = FALSE)
  close(connection)
}

x <- c(0, 1, 5, 10, 65, 1, 139, 5, 350, 1234, 0, 29, 499999)
n <- c(10, 10, 10, 10, 100, 350, 350, 100, 350, 5678, 1, 30, 1000000)
w95 <- binom.wilson(x, n, conf.level = 0.95)
prevalence <- epi.conf(cbind(x, n), ctype = "prevalence", method = "wilson", N = 1e12, design = 1, conf.level = 0.95)
w998 <- binom.wilson(x, n, conf.level = 0.998)
write(data.frame(x, n, lower = w95$lower, upper = w95$upper, lower998 = w998$lower, upper998 = w998$upper,
                 epir_lower = prevalence$lower, epir_upper = prevalence$upper),
      "wilson.csv", "epiR::epi.conf(ctype = 'prevalence', method = 'wilson') and epitools::binom.wilson(x, n, conf.level = 0.95 and 0.998)")

k <- 0:9
exact <- t(sapply(k, function(i) poisson.test(i)$conf.int))
exact998 <- t(sapply(k, function(i) poisson.test(i, conf.level = 0.998)$conf.int))
write(data.frame(x = k, lower = exact[, 1], upper = exact[, 2], lower998 = exact998[, 1], upper998 = exact998[, 2]),
      "poisson_exact.csv", "stats::poisson.test(x, conf.level = 0.95 and 0.998)$conf.int")

# Byar's approximation as in Breslow and Day (1987), with stats::qnorm; no Debian package has this form
# (epiR and epitools add half an event, Rothman's mid-P form). The exact limits stand beside it.
k <- c(10, 11, 20, 65, 100, 1045, 25000)
z <- qnorm(0.975)
exact <- t(sapply(k, function(i) poisson.test(i)$conf.int))
write(data.frame(x = k, lower = k * (1 - 1 / (9 * k) - z / (3 * sqrt(k)))^3,
                 upper = (k + 1) * (1 - 1 / (9 * (k + 1)) + z / (3 * sqrt(k + 1)))^3,
                 exact_lower = exact[, 1], exact_upper = exact[, 2]),
      "byar.csv", "Byar by Breslow and Day with stats::qnorm(0.975); exact: stats::poisson.test(x)$conf.int")

# Direct standardisation: point estimate of epitools::ageadjust.direct; Dobson limits written out from the paper
# (Stat Med 1991;10:457-62) with stats functions only, limits of the total by Byar.
count <- c(4, 11, 38, 95, 140, 61)
population <- c(41250, 39810, 30170, 21540, 10360, 4120)
weight <- c(34.4, 25.1, 16.9, 12.2, 7.6, 3.8)
adjusted <- ageadjust.direct(count, population, stdpop = weight)
w <- weight / sum(weight)
variance <- sum(w^2 * count / population^2)
total <- sum(count)
low <- total * (1 - 1 / (9 * total) - z / (3 * sqrt(total)))^3
high <- (total + 1) * (1 - 1 / (9 * (total + 1)) + z / (3 * sqrt(total + 1)))^3
write(data.frame(events = total, crude = 1e5 * adjusted["crude.rate"], rate = 1e5 * adjusted["adj.rate"],
                 lower = 1e5 * (adjusted["adj.rate"] + sqrt(variance / total) * (low - total)),
                 upper = 1e5 * (adjusted["adj.rate"] + sqrt(variance / total) * (high - total)),
                 gamma_lower = 1e5 * adjusted["lci"], gamma_upper = 1e5 * adjusted["uci"]),
      "standardised.csv",
      "epitools::ageadjust.direct(count, pop, stdpop = weight) x 1e5; limits from Dobson et al. with stats::qnorm")
write(data.frame(count, population, weight), "standardised_input.csv", "input of standardised.csv")
