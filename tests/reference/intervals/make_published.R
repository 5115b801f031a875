# Writes published.csv: what a release must publish for the nation in December 2024, worked out in R from the official
# population by sex and age and the WHO world standard alone, without ncdsurv.
# Run in this folder: Rscript make_published.R
suppressMessages(library(epitools))
source_line <- paste0("# ", R.version.string, "; epitools ", packageVersion("epitools"))

# National population 2024 by age group, both sexes (NSO totals on the NSO/UNFPA 2014-2049 medium structure).
male <- c(3739068, 4156528, 4416014, 3801077, 3387041, 3444749, 4315310, 4244547, 3847303, 3300396, 3052937, 2711959,
          2360507, 1721754, 1046137, 551805, 479718)
female <- c(3408184, 3720056, 3996588, 3476052, 3191472, 3307788, 4197025, 4198437, 3870802, 3371476, 3149920, 2868893,
            2616535, 2063963, 1385644, 883704, 1060364)
people <- male + female # 0-4, 5-9, ..., 75-79, 80+
# WHO world standard 2000-2025, percent as printed, 0-4 ... 95-99, 100+.
who <- c(8.86, 8.69, 8.60, 8.47, 8.22, 7.93, 7.61, 7.15, 6.59, 6.04, 5.37, 4.55, 3.72, 2.96, 2.21, 1.52, 0.91, 0.44, 0.15,
         0.04, 0.005)
who <- c(who[1:16], sum(who[17:21]))

# Bands of the registry: 18-39 takes two of the five years of 15-19.
band <- function(x) c(0.4 * x[4] + sum(x[5:8]), sum(x[9:10]), sum(x[11:12]), sum(x[13:14]), sum(x[15:16]), x[17])
events <- c(120, 300, 500, 700, 400, 150)
n <- band(people)
w <- band(who) / sum(band(who))
byar <- function(x, z) c(x * (1 - 1 / (9 * x) - z / (3 * sqrt(x)))^3, (x + 1) * (1 - 1 / (9 * (x + 1)) + z / (3 * sqrt(x + 1)))^3)
z <- qnorm(0.975)
total <- sum(events)
limits <- byar(total, z)
adjusted <- ageadjust.direct(events, n, stdpop = w)["adj.rate"]
spread <- sqrt(sum(w^2 * events / n^2) / total)
dobson <- adjusted + spread * (limits - total)
base <- 0.4 * people[4] + sum(people[5:14]) # 18-69
expected <- base * 0.262
wilson <- binom.wilson(sum(events[1:4]), expected)
copd <- sum(people[9:17]) * 0.042 # 40 and over
row <- function(what, numerator, denominator, value, lower, upper) data.frame(what, numerator, denominator, value, lower, upper)
table <- rbind(
  row("crude", total, sum(n), 1e5 * total / sum(n), 1e5 * limits[1] / sum(n), 1e5 * limits[2] / sum(n)),
  row("standardised", total, sum(n), 1e5 * adjusted, 1e5 * dobson[1], 1e5 * dobson[2]),
  row("expected hypertension", expected, NA, expected, NA, NA),
  row("expected copd", copd, NA, copd, NA, NA),
  row("detection", sum(events[1:4]), expected, 100 * wilson$proportion, 100 * wilson$lower, 100 * wilson$upper)
)
con <- file("published.csv", "w", encoding = "UTF-8")
writeLines(c(source_line,
             "# epitools::ageadjust.direct(events, people, stdpop = WHO weights within 18+), binom.wilson(detected aged 18-69, expected);",
             "# Byar by Breslow and Day, Dobson et al. 1991, with stats::qnorm; STEPS 2021 26.2 % of ages 18-69, COPD 4.2 % from 40"), con)
write.csv(format(table, digits = 15, trim = TRUE, scientific = FALSE), con, row.names = FALSE, quote = FALSE)
close(con)
