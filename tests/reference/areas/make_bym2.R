# Reference numbers of the BYM2 model: scaling factors, and the posterior of lip cancer in Scotland.
# Run from this folder:  Rscript make_bym2.R
# Needs spdep, spData, MASS, sf, rgdal (for its file scot_BNG only) and rjags (Debian: r-cran-spdep, r-cran-spdata,
# r-cran-mass, r-cran-sf, r-cran-rgdal, r-cran-rjags, jags). INLA is not in Debian: its numbers are not used here.
# Data: lip cancer in men of 56 districts, 1975-80, observed and expected, as rgdal ships them (scot_BNG). Neighbours
# by spdep::poly2nb, which finds one for every district. And spData's nc.sids with ncCC89.nb, for the scaling alone.
# The sampler is another (JAGS with its module glm), so is the form of the model (u and v apart; u through the square root of
# MASS::ginv), and phi is drawn from a fine grid of its prior. Writes lip.csv, lip_links.csv and expected_bym2.csv.
suppressMessages({library(spdep); library(spData); library(MASS); library(sf); library(rjags)})
load.module("glm", quiet = TRUE)  # draws u, v and the level in one block

laplacian <- function(nb) { a <- nb2mat(nb, style = "B", zero.policy = TRUE); diag(rowSums(a)) - a }
scales <- function(nb) {
  part <- n.comp.nb(nb)$comp.id; q <- laplacian(nb)
  unlist(lapply(unique(part), function(p) { at <- which(part == p)
    if (length(at) > 1) exp(mean(log(diag(ginv(q[at, at]))))) }))
}
out <- NULL
say <- function(what, value) out <<- rbind(out, data.frame(what, value))
data(nc.sids)
for (s in seq_along(scales(ncCC89.nb))) say(paste0("nc_scale_", s), scales(ncCC89.nb)[s])

lip <- st_read(system.file("vectors/scot_BNG.shp", package = "rgdal"), quiet = TRUE)
lip <- lip[order(as.numeric(lip$ID_x)), ]
nb <- poly2nb(lip, snap = 1); n <- nrow(lip)
y <- as.numeric(lip$COUNT); e <- as.numeric(lip$EXP_)
write.csv(data.frame(name = lip$NAME, count = y, expected = e), "lip.csv", row.names = FALSE, quote = FALSE)
links <- do.call(rbind, lapply(1:n, function(i) if (nb[[i]][1] > 0) data.frame(from = i - 1, to = nb[[i]] - 1)))
write.csv(links, "lip_links.csv", row.names = FALSE, quote = FALSE)
found <- scales(nb)
for (s in seq_along(found)) say(paste0("lip_scale_", s), found[s])
say("lip_islands", sum(card(nb) == 0))

part <- n.comp.nb(nb)$comp.id; q <- laplacian(nb); cov <- diag(n)
for (p in unique(part)) { at <- which(part == p)
  if (length(at) > 1) { g <- ginv(q[at, at]); cov[at, at] <- g / exp(mean(log(diag(g)))) } }
own <- eigen(cov, symmetric = TRUE)
root <- own$vectors %*% diag(sqrt(pmax(own$values, 0)))
gamma <- sort(own$values)[-(1:length(found))]       # without the level of every part
d <- function(phi) sapply(phi, function(p) sqrt(sum(p * (gamma - 1) - log(1 + p * (gamma - 1)))))
below <- function(rate, phi) (1 - exp(-rate * d(phi))) / (1 - exp(-rate * d(1)))
rate <- uniroot(function(r) below(r, 0.5) - 2 / 3, c(1e-6, 1e3), tol = 1e-12)$root
say("lip_phi_rate", rate)
edges <- seq(0, 1, length.out = 1001); middle <- (edges[-1] + edges[-1001]) / 2
weight <- diff(below(rate, edges))

text <- "model {
  for (i in 1:n) {
    y[i] ~ dpois(e[i] * r[i])
    log(r[i]) <- level + sigma * (sqrt(1 - phi) * v[i] + sqrt(phi) * u[i])
    u[i] <- inprod(root[i, ], w[])
    v[i] ~ dnorm(0, 1)
    w[i] ~ dnorm(0, 1)
  }
  level ~ dnorm(start, 0.04)
  sigma ~ dexp(-log(0.01))
  at ~ dcat(weight)
  phi <- middle[at]
}"
chains <- lapply(1:4, function(s) list(.RNG.name = "base::Mersenne-Twister", .RNG.seed = s))
model <- jags.model(textConnection(text), n.chains = 4, n.adapt = 200, quiet = TRUE, inits = chains,
                    data = list(n = n, y = y, e = e, root = root, weight = weight, middle = middle,
                                start = log((sum(y) + 1) / sum(e))))
update(model, 400, progress.bar = "none")
draws <- coda.samples(model, c("r", "sigma", "phi"), n.iter = 2500, thin = 1, progress.bar = "none")
say("lip_r_hat", max(coda::gelman.diag(draws, multivariate = FALSE)$psrf[, 1]))
m <- as.matrix(draws); error <- summary(draws)$statistics[, "Time-series SE"]
for (name in c("sigma", "phi", paste0("r[", 1:n, "]"))) {
  say(paste0(name, "_mean"), mean(m[, name])); say(paste0(name, "_error"), error[name])
  say(paste0(name, "_lower"), quantile(m[, name], 0.025)); say(paste0(name, "_upper"), quantile(m[, name], 0.975))
}
file <- file("expected_bym2.csv", "w")
writeLines(c(paste0("# ", R.version.string, "; spdep ", packageVersion("spdep"), "; MASS ", packageVersion("MASS"),
                    "; rjags ", packageVersion("rjags"), "; JAGS ", jags.version()),
             "# lip: 4 chains, 2,500 draws each after 600; error is the Monte Carlo error of the mean"), file)
write.csv(out, file, row.names = FALSE, quote = FALSE)
close(file)
