# Reference numbers of smoothed rates, Moran's I, local Moran, Gi* and the spatial scan.
# Run from this folder:  Rscript make_areas.R
# Needs spdep and spData (Debian: r-cran-spdep, r-cran-spdata). Data: spData's nc.sids (100 counties of North Carolina,
# sudden infant deaths 1974-78 and births) with its neighbours ncCC89.nb (Cressie and Chan 1989),
# two of which have no neighbour. SpatialEpi is not in Debian: the scan is written out below, circle by circle.
# Writes counties.csv and links.csv (the input), expected_areas.csv and expected_r.csv (the numbers).
suppressMessages({library(spdep); library(spData)})
data(nc.sids)
e <- nc.sids$SID74; b <- nc.sids$BIR74; n <- length(e)
nb <- ncCC89.nb
write.csv(data.frame(code = sprintf("%03d", 1:n), count = e, population = b, x = nc.sids$x, y = nc.sids$y),
          "counties.csv", row.names = FALSE, quote = FALSE)
links <- do.call(rbind, lapply(1:n, function(i) if (nb[[i]][1] > 0) data.frame(from = i - 1, to = nb[[i]] - 1)))
write.csv(links, "links.csv", row.names = FALSE, quote = FALSE)

area <- data.frame(code = sprintf("%03d", 1:n))
area$global_poisson <- EBest(e, b)$estmm
area$global_binomial <- EBest(e, b, family = "binomial")$estmm
area$local <- EBlocal(e, b, nb, zero.policy = TRUE)$est
area$spatial <- EBlocal(e, b, nb, zero.policy = TRUE, geoda = TRUE)$est
m <- sum(e) / sum(b); a <- attr(EBest(e, b), "parameters")$a
z <- (e / b - m) / sqrt(a + m / b)
area$standardised <- z

# Areas without neighbours are left out before any local statistic, as in the package.
keep <- card(nb) > 0
part <- subset(nb, keep); zk <- z[keep]
lw <- nb2listw(part, style = "W"); bs <- nb2listw(include.self(part), style = "B")
set.seed(1)
lm <- localmoran_perm(zk, lw, nsim = 9999, alternative = "two.sided")
area$local_moran <- NA; area$local_moran[keep] <- lm[, "Ii"]
area$p_two_sided <- NA; area$p_two_sided[keep] <- lm[, "Pr(z != E(Ii)) Sim"]
area$p_folded <- NA; area$p_folded[keep] <- lm[, "Pr(folded) Sim"]
area$gi_star <- NA; area$gi_star[keep] <- as.numeric(localG(zk, bs))
area$fdr <- NA; area$fdr[keep] <- p.adjust(lm[, "Pr(z != E(Ii)) Sim"], "BH")

out <- NULL
say <- function(what, value) out <<- rbind(out, data.frame(what, value))
test <- moran.test(zk, lw)
say("moran", test$estimate[["Moran I statistic"]]); say("moran_expected", test$estimate[["Expectation"]])
eb <- EBImoran.mc(e[keep], b[keep], lw, nsim = 9999)
say("eb_moran", eb$statistic[["statistic"]]); say("eb_moran_p", eb$p.value)

# Kulldorff's scan: every circle around every county up to half of the births, both likelihoods, most likely first.
d <- as.matrix(dist(cbind(nc.sids$x, nc.sids$y)))
xlogy <- function(x, y) ifelse(x == 0, 0, x * log(y))
C <- sum(e); N <- sum(b)
poisson <- function(c, p) { E <- C * p / N; ifelse(c > E, xlogy(c, c / E) + xlogy(C - c, (C - c) / (C - E)), 0) }
bernoulli <- function(c, p) {
  v <- xlogy(c, c / p) + xlogy(p - c, (p - c) / p) + xlogy(C - c, (C - c) / (N - p)) +
    xlogy(N - p - C + c, (N - p - C + c) / (N - p)) - C * log(C / N) - (N - C) * log((N - C) / N)
  ifelse(c / p > C / N, v, 0)
}
for (model in c("poisson", "bernoulli")) {
  zones <- list()
  for (i in 1:n) { o <- order(d[i, ])
    for (k in 1:n) { s <- o[1:k]; if (sum(b[s]) > N / 2) break
      zones[[length(zones) + 1]] <- list(who = sort(s), value = get(model)(sum(e[s]), sum(b[s]))) } }
  values <- sapply(zones, `[[`, "value"); taken <- integer(0)
  for (rank in 1:3) {
    free <- which(sapply(zones, function(zone) !any(zone$who %in% taken)))
    best <- free[which.max(values[free])]
    say(paste0(model, "_llr_", rank), values[best])
    say(paste0(model, "_count_", rank), sum(e[zones[[best]]$who]))
    say(paste0(model, "_areas_", rank), length(zones[[best]]$who))
    say(paste0(model, "_code_sum_", rank), sum(zones[[best]]$who))
    taken <- c(taken, zones[[best]]$who)
  }
  say(paste0(model, "_zones"), length(zones))
}
# Monte Carlo p of the most likely Poisson cluster, 999 drawings.
zone <- lapply(1:n, function(i) { o <- order(d[i, ]); o[cumsum(b[o]) <= N / 2] })
most <- function(e) max(sapply(zone, function(o) max(poisson(cumsum(e[o]), cumsum(b[o])))))
set.seed(1); top <- replicate(999, most(rmultinom(1, C, b)))
for (rank in 1:3) say(paste0("poisson_p_", rank), (1 + sum(top >= out$value[out$what == paste0("poisson_llr_", rank)])) / 1000)

about <- paste("#", R.version.string, "- spdep", packageVersion("spdep"), "- spData", packageVersion("spData"), "- script make_areas.R")
save <- function(frame, file) { writeLines(about, file)
  for (name in names(frame)) if (is.numeric(frame[[name]])) frame[[name]] <- ifelse(is.na(frame[[name]]), "", sprintf("%.15g", frame[[name]]))
  suppressWarnings(write.table(frame, file, sep = ",", row.names = FALSE, quote = FALSE, append = TRUE)) }
save(area, "expected_areas.csv"); save(out, "expected_r.csv")
