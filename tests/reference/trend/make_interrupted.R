# Reference numbers of interrupted series, from R's stats, MASS and sandwich.
# Run from this folder:  Rscript make_interrupted.R
# Needs r-cran-mass and r-cran-sandwich (Debian). Data: datasets::Seatbelts as in seatbelts.csv (make_families.R);
# the date is the law on seat belts of 31 January 1983, so that February 1983 is the first month after.
suppressMessages({library(MASS); library(sandwich)})
data <- read.csv("seatbelts.csv")
at <- 1983 * 12 + 2
data$years <- (data$month - at) / 12
data$after <- as.numeric(data$month >= at)
angle <- 2 * pi * data$month / 12
formula <- numerator ~ years + after + years:after + cos(angle) + sin(angle) + cos(2 * angle) + sin(2 * angle) +
  offset(log(denominator))
out <- NULL
say <- function(case, what, value) out <<- rbind(out, data.frame(case, what, value))
tight <- glm.control(epsilon = 1e-14, maxit = 200)
terms <- c(level = "after", before = "years", slope = "years:after")
tell <- function(case, model, covariance) for (name in names(terms)) {
  say(case, name, coef(model)[[terms[[name]]]])
  say(case, paste0(name, "_se"), sqrt(covariance[terms[[name]], terms[[name]]]))
}
quasi <- glm(formula, family = quasipoisson(), data = data, control = tight)
tell("quasi_poisson", quasi, vcov(quasi))
tell("newey_west_4", quasi, NeweyWest(quasi, lag = 4, prewhite = FALSE, adjust = TRUE))
negative <- glm.nb(formula, data = data, control = tight)
tell("negative_binomial", negative, vcov(negative))
last <- data[nrow(data), ]
without <- transform(last, after = 0)
said <- function(what, row) say("quasi_poisson", what, exp(predict(quasi, row)) / row$denominator)
angle <- angle[length(angle)]
said("fitted_last", last)
said("counterfactual_last", without)
header <- c(paste("#", R.version.string, "- script make_interrupted.R, data Seatbelts, glm(quasipoisson), summary errors"),
            paste("# MASS", packageVersion("MASS"), "glm.nb; sandwich", packageVersion("sandwich"),
                  "NeweyWest(lag = 4, prewhite = FALSE, adjust = TRUE)"))
writeLines(header, "interrupted.csv")
out$value <- sprintf("%.15g", out$value)
suppressWarnings(write.table(out, "interrupted.csv", sep = ",", row.names = FALSE, quote = FALSE, append = TRUE))
