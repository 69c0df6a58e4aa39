# Everything that `meta` says of a table, said by metafor: Rscript metafor.R TABLES.json ANSWERS.json
# TABLES.json maps names to tables (columns yi, vi; or events, n; or events1, n1, events2, n2; x1, x2, order). Iterations
# run to the last digits, relative to the variances of the table: metafor's own limits are absolute, for effects near 1.
suppressMessages({library(metafor); library(jsonlite)})
options(warn = -1, digits = 22)
METHODS <- c("EE", "DL", "HE", "HS", "HSk", "SJ", "ML", "REML", "EB", "PM", "PMM")
TESTS <- c("z", "t", "knha", "adhoc")
files <- commandArgs(trailingOnly = TRUE)

tried <- function(expression) tryCatch(expression, error = function(e) list(error = gsub("\n", " ", conditionMessage(e))))
num <- function(x) unname(as.numeric(x))

# Fisher scoring to the last digits; where rounding keeps it from there, as near as it gets.
settled <- function(y, v, ...) {
  size <- min(v) + if (length(y) > 1) var(y) else 0
  for (limit in c(1e-12, 1e-10)) {
    control <- list(tau2.max = 1e4 * (max(v) + size), tol = 1e-15 * size, maxiter = 3000, threshold = limit * size, evtol = 1e-14)
    fit <- try(rma(y, v, ..., control = control), silent = TRUE)
    if (!inherits(fit, "try-error")) return(fit)
  }
  stop(attr(fit, "condition"))
}

pooled <- function(y, v) {
  answer <- list()
  for (method in METHODS) {
    answer[[method]] <- tried({
      per <- list()
      first <- settled(y, v, method = method)
      for (test in TESTS) {
        fit <- if (test == "z") first else rma(y, v, method = method, test = test, tau2 = first$tau2)
        per[[test]] <- list(beta = num(fit$beta), se = fit$se, stat = num(fit$zval), pval = num(fit$pval), ci = c(fit$ci.lb, fit$ci.ub))
        if (method != "EE") {
          for (spent in 1:2) {
            if (length(y) > spent) {
              half <- qt(0.975, length(y) - spent) * sqrt(fit$se^2 + fit$tau2)
              per[[test]][[paste0("prediction_k-", spent)]] <- c(num(fit$beta) - half, num(fit$beta) + half)
            }
          }
          if (test == "z") {
            beyond <- predict(fit)
            low <- if (is.null(beyond$pi.lb)) beyond$cr.lb else beyond$pi.lb
            high <- if (is.null(beyond$pi.ub)) beyond$cr.ub else beyond$pi.ub
            per[[test]]$prediction_normal <- c(low, high)
          }
        }
      }
      c(per, list(tau2 = first$tau2, se_tau2 = first$se.tau2, i2 = first$I2, h2 = first$H2, q = first$QE, q_p = first$QEp))
    })
  }
  answer
}

profiled <- function(y, v) {
  tried({
    size <- min(v) + var(y)
    ends <- confint(rma(y, v, method = "DL"), control = list(tau2.max = 1e4 * (max(v) + size), tol = 1e-15 * size))$random
    list(tau2 = num(ends["tau^2", 2:3]), i2 = num(ends["I^2(%)", 2:3]), h2 = num(ends["H^2", 2:3]))
  })
}

diagnosed <- function(y, v) {
  answer <- list()
  for (method in c("DL", "REML")) {
    answer[[method]] <- tried({
      fit <- settled(y, v, method = method)
      out <- leave1out(fit)
      all <- influence(fit)
      of <- all$inf
      list(without = list(estimate = num(out$estimate), se = num(out$se), tau2 = num(out$tau2), q = num(out$Q), i2 = num(out$I2), h2 = num(out$H2)),
           influence = list(rstudent = num(of$rstudent), dffits = num(of$dffits), cook_d = num(of$cook.d), cov_r = num(of$cov.r),
                            tau2_del = num(of$tau2.del), q_del = num(of$QE.del), hat = num(of$hat), dfbetas = num(all$dfbs[[1]])))
    })
  }
  answer
}

# Egger's model is fitted with rma itself, of which regtest is a shell with its own limits; so is trimfill.
asymmetry <- function(y, v) {
  list(
    egger = tried({ fit <- settled(y, v, mods = sqrt(v), method = "REML"); if (nrow(fit$beta) < 2) stop("no slope"); list(stat = num(fit$zval[2]), p = num(fit$pval[2]), limit = num(fit$beta[1])) }),
    egger_classical = tried({
      test <- regtest(y, v, model = "lm")
      if (is.nan(test$zval)) stop("no statistic")
      list(stat = num(test$zval), p = num(test$pval))
    }),
    begg = tried({ test <- ranktest(y, v); if (is.na(test$tau)) stop("no rank correlation"); list(tau = num(test$tau), p = num(test$pval)) }),
    trim_and_fill = tried({
      filled <- trimfill(rma(y, v, method = "REML"))
      list(missing = filled$k0, side = filled$side, estimate = num(filled$beta), se = filled$se, tau2 = filled$tau2)
    }),
    henmi_copas = tried({
      bound <- hc(rma(y, v, method = "DL"))
      list(estimate = num(bound$beta), se = num(bound$se), half_width = num(bound$ci.ub - bound$ci.lb) / 2)
    })
  )
}

regressed <- function(y, v, mods) {
  answer <- list()
  for (method in METHODS) {
    answer[[method]] <- tried({
      per <- list()
      first <- settled(y, v, mods = mods, method = method)
      if (nrow(first$beta) != ncol(mods) + 1) stop("moderators dropped")
      for (test in TESTS) {
        fit <- if (test == "z") first else rma(y, v, mods = mods, method = method, test = test, tau2 = first$tau2, control = list(evtol = 1e-14))
        per[[test]] <- list(beta = num(fit$beta), se = num(fit$se), pval = num(fit$pval), qm = num(fit$QM), qm_p = num(fit$QMp))
      }
      c(per, list(tau2 = first$tau2, i2 = first$I2, q = first$QE, r2 = if (is.null(first$R2)) NA else first$R2))
    })
  }
  answer
}

added <- function(y, v, by) {
  tried({
    at <- order(by)
    steps <- cumul(settled(y[at], v[at], method = "REML"))
    list(estimate = num(steps$estimate), se = num(steps$se), tau2 = num(steps$tau2))
  })
}

exact <- function(events, n, mods) {
  tried({
    arguments <- list(measure = "PLO", xi = events, ni = n, nAGQ = 25)
    if (!is.null(mods)) arguments$mods <- mods
    fit <- do.call(rma.glmm, arguments)
    list(beta = num(fit$beta), se = num(fit$se), tau2 = fit$tau2, q = fit$QE.LRT, q_p = fit$QEp.LRT, wald = fit$QE.Wld)
  })
}

compared <- function(t) {
  answer <- list()
  for (measure in c("OR", "RR", "RD")) {
    effects <- escalc(measure = measure, ai = t$events1, n1i = t$n1, ci = t$events2, n2i = t$n2, drop00 = FALSE)
    y <- num(effects$yi); v <- num(effects$vi)
    answer[[measure]] <- list(
      effects = list(yi = y, vi = v), pool = pooled(y, v),
      mh = tried({
        fit <- rma.mh(measure = measure, ai = t$events1, n1i = t$n1, ci = t$events2, n2i = t$n2)
        if (is.na(fit$beta)) stop("no estimate")
        list(beta = num(fit$beta), se = fit$se, ci = c(fit$ci.lb, fit$ci.ub), q = num(fit$QE), q_p = num(fit$QEp))
      }))
  }
  answer$peto <- tried({
    fit <- rma.peto(ai = t$events1, n1i = t$n1, ci = t$events2, n2i = t$n2)
    list(beta = num(fit$beta), se = fit$se, ci = c(fit$ci.lb, fit$ci.ub), q = num(fit$QE), q_p = num(fit$QEp))
  })
  answer
}

whole <- function(t) {
  answer <- list()
  if (!is.null(t$events1)) return(compared(t))
  y <- t$yi; v <- t$vi
  mods <- if (is.null(t$x1)) NULL else cbind(x1 = t$x1, x2 = t$x2)
  if (!is.null(t$events)) {
    for (measure in c("PLO", "PR", "PAS", "PFT", "PLN")) {
      effects <- escalc(measure = measure, xi = t$events, ni = t$n)
      answer$effects[[measure]] <- list(yi = num(effects$yi), vi = num(effects$vi))
    }
    y <- answer$effects$PLO$yi; v <- answer$effects$PLO$vi
    answer$glmm <- exact(t$events, t$n, NULL)
    if (!is.null(mods)) answer$glmm_mods <- exact(t$events, t$n, mods)
  }
  answer$pool <- pooled(y, v)
  answer$q_profile <- profiled(y, v)
  if (!is.null(mods)) answer$regression <- regressed(y, v, mods)
  if (length(y) > 2 && is.null(t$large)) {
    answer$diagnostics <- diagnosed(y, v)
    answer$asymmetry <- asymmetry(y, v)
    answer$cumulative <- added(y, v, t$order)
  }
  answer
}

tables <- fromJSON(files[1])
versions <- list(R = paste(R.version$major, R.version$minor, sep = "."), metafor = as.character(packageVersion("metafor")),
                 lme4 = as.character(packageVersion("lme4")))
write(toJSON(list(versions = versions, answers = lapply(tables, whole)), digits = NA, auto_unbox = TRUE, na = "string", null = "null"), files[2])
