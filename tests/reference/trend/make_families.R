# Reference numbers of the count families and their tests, from R's MASS, AER, sandwich and stats.
# Run from this folder:  Rscript make_families.R
# Needs r-cran-mass, r-cran-aer and r-cran-sandwich (Debian). Data: datasets::Seatbelts (monthly, Great Britain
# 1969-1984), drivers killed per distance driven. Writes seatbelts.csv (the input) and families.csv (the numbers).
suppressMessages({library(MASS); library(AER); library(sandwich)})
belts <- as.data.frame(Seatbelts)
month <- 1969 * 12 + seq_len(nrow(belts))
data <- data.frame(month, numerator = belts$DriversKilled, denominator = belts$kms)
write.csv(data, "seatbelts.csv", row.names = FALSE, quote = FALSE)
data$years <- (month - month[1]) / 12
angle <- 2 * pi * month / 12
formula <- numerator ~ years + cos(angle) + sin(angle) + cos(2 * angle) + sin(2 * angle) + offset(log(denominator))
out <- NULL
say <- function(case, what, value) out <<- rbind(out, data.frame(case, what, value))

tight <- glm.control(epsilon = 1e-14, maxit = 200)
poisson <- glm(formula, family = poisson(), data = data, control = tight)
one <- dispersiontest(poisson)
say("poisson", "overdispersion", one$estimate[["dispersion"]])
say("poisson", "overdispersion_z", one$statistic[["z"]])
mean <- fitted(poisson)
z <- ((data$numerator - mean)^2 - data$numerator) / mean
slope <- summary(lm(z ~ mean))$coefficients["mean", ]
say("poisson", "quadratic_t", slope[["t value"]])
say("poisson", "quadratic_p_value", pt(slope[["t value"]], nrow(data) - 2, lower.tail = FALSE))
say("poisson", "pearson_dispersion", sum(residuals(poisson, "pearson")^2) / df.residual(poisson))

negative <- glm.nb(formula, data = data, control = tight)
table <- summary(negative)$coefficients
say("negative_binomial", "slope", table["years", "Estimate"])
say("negative_binomial", "slope_se", table["years", "Std. Error"])
say("negative_binomial", "alpha", 1 / negative$theta)
quasi <- glm(formula, family = quasipoisson(), data = data, control = tight)
for (lag in c(3, 12))
  say("quasi_poisson", paste0("slope_se_", lag),
      sqrt(NeweyWest(quasi, lag = lag, prewhite = FALSE, adjust = TRUE)["years", "years"]))
r <- residuals(quasi, "pearson") / sqrt(summary(quasi)$dispersion)
say("quasi_poisson", "portmanteau_p_value", Box.test(r, lag = 12, type = "Ljung-Box")$p.value)
say("quasi_poisson", "largest_residual", r[[which.max(abs(r))]])

header <- c(paste("#", R.version.string, "- script make_families.R, data Seatbelts"),
            paste("# MASS", packageVersion("MASS"), "glm.nb; AER", packageVersion("AER"), "dispersiontest; sandwich",
                  packageVersion("sandwich"), "NeweyWest(prewhite = FALSE, adjust = TRUE); stats::Box.test"))
writeLines(header, "families.csv")
out$value <- sprintf("%.15g", out$value)
suppressWarnings(write.table(out, "families.csv", sep = ",", row.names = FALSE, quote = FALSE, append = TRUE))
