"""Words of trials and scores: how a configuration is scored, and what may be said of it."""

from __future__ import annotations

from hpo_core.glossary._term import Term

SCORING = (
    Term(
        "arm",
        "Who makes the trials: you by hand, a search method, or the default. A duel compares arms.",
        see=("duel", "default", "method"),
        is_everyday=True,
    ),
    Term(
        "baseline",
        "What a result is held against. The lab uses two: the library's default configuration, and random search.",
        see=("default", "random search"),
    ),
    Term(
        "budget",
        "How much a search may spend: a number of trials, of fits, or of seconds. Arms of a duel have the same.",
        see=("trial", "fit", "duel"),
        is_everyday=True,
    ),
    Term(
        "child study",
        "A study made from another one with other ranges. It keeps the trials of its parent that fit into them.",
        see=("study", "search space"),
        aliases=("child studies",),
    ),
    Term(
        "class",
        "Many people who tune the same problem by hand, each from the same start with as many tries. What they have "
        "chosen is scored on fresh folds at the end.",
        see=("duel", "finalists round"),
        is_everyday=True,
    ),
    Term(
        "configuration",
        "One value for every hyperparameter: what the sliders say now.",
        see=("hyperparameter", "trial"),
    ),
    Term(
        "corrected t-test",
        "The test by which the lab calls two configurations different. Folds share training rows, so their scores are "
        "not independent; the plain t-test would see differences where there are none, and the correction widens it.",
        see=("within noise", "tie", "fold"),
        aliases=("corrected resampled t-test",),
        source="Nadeau and Bengio (2003), Inference for the generalization error",
    ),
    Term(
        "cross-validation",
        "Scoring by turns: the rows are cut into folds, the model is trained on all but one and scored on that one. "
        "The score of a trial is the mean.",
        see=("fold", "holdout", "nested cross-validation", "repeated cross-validation"),
        aliases=("cross-validated",),
        source="Stone (1974), Cross-Validatory Choice and Assessment of Statistical Predictions",
    ),
    Term(
        "default",
        "The configuration that the library uses when nobody sets anything. The lab always scores it, as a control.",
        see=("baseline", "configuration"),
        aliases=("default configuration",),
        is_everyday=True,
    ),
    Term(
        "duel",
        "You and any methods on the same problem, with the same folds and the same budget. What each has chosen is "
        "scored on fresh folds at the end.",
        see=("arm", "suite", "class"),
    ),
    Term(
        "ensemble",
        "Several models that predict together. The lab mixes the best trials, adding again and again the one that "
        "helps the mixture most.",
        see=("overfitting", "trial"),
        source="Caruana, Niculescu-Mizil, Crew and Ksikes (2004), Ensemble Selection from Libraries of Models",
    ),
    Term(
        "finalists round",
        "The best configurations and the default scored once more, on fresh folds that had no part in picking them. "
        "It names the winner, or a tie.",
        see=("luck of picking", "tie", "locked rows"),
        aliases=("finals",),
    ),
    Term(
        "fit",
        "Training one model once: one configuration on one fold. A trial with five folds costs five fits.",
        see=("trial", "fold", "budget", "worker"),
        is_everyday=True,
    ),
    Term(
        "fold",
        "One part of the rows in cross-validation: the model is trained on the other folds and scored on this one.",
        see=("cross-validation", "fit"),
        is_everyday=True,
    ),
    Term(
        "holdout",
        "Scoring on one part of the rows that is cut off once. Cheap, and with only one fold its noise is unknown.",
        see=("cross-validation", "locked rows"),
    ),
    Term(
        "hyperparameter",
        "A setting of a model that is chosen before training and not learned by it, such as the depth of a tree.",
        see=("parameter", "configuration", "search space", "architecture", "hypergradient"),
    ),
    Term(
        "learning curve",
        "The score against the number of training rows. Still rising at its end, it says that more rows would help.",
        see=("validation curve", "overfitting", "underfitting"),
    ),
    Term(
        "locked rows",
        "Rows that are cut off at the beginning and are in no fold. They are opened once, at the very end, and every "
        "look at them is counted and dated.",
        see=("holdout", "optimism"),
        aliases=("test rows",),
    ),
    Term(
        "luck of picking",
        "The best of many noisy scores is partly luck: among many, some come out too high, and these are picked.",
        see=("optimism", "finalists round", "noise"),
        aliases=("winner's curse",),
        source="Cawley and Talbot (2010), On Over-fitting in Model Selection",
    ),
    Term(
        "nested cross-validation",
        "The whole search is repeated within each outer fold and its choice scored on that fold. It says what tuning "
        "itself is worth on rows it did not choose by.",
        see=("cross-validation", "optimism"),
        aliases=("nested", "nested search", "outer fold"),
        source="Varma and Simon (2006), Bias in error estimation when using cross-validation for model selection",
    ),
    Term(
        "noise",
        "How much a score changes from fold to fold: the number after ±, a standard deviation over the folds.",
        see=("within noise", "fold", "seed"),
    ),
    Term(
        "optimism",
        "By how much the score of what was picked is better than it will be on new rows.",
        see=("luck of picking", "nested cross-validation"),
        source="Tsamardinos, Greasidou and Borboudakis (2018), Bootstrapping the out-of-sample predictions",
    ),
    Term(
        "overfitting",
        "The model has learned the training rows by heart: good on these, worse on new ones.",
        see=("underfitting", "learning curve"),
        aliases=("overfit",),
    ),
    Term(
        "parameter",
        "In machine learning, what training itself finds, such as the weights of a network. On the screens of the lab "
        "the word is short for hyperparameter.",
        see=("hyperparameter",),
        is_everyday=True,
    ),
    Term(
        "repeated cross-validation",
        "Cross-validation several times, each with other folds. It costs more fits and makes the noise smaller.",
        see=("cross-validation", "noise"),
        aliases=("repeated",),
    ),
    Term(
        "ROPE",
        "The region of practical equivalence: a difference so small that nobody would mind counts as none.",
        see=("tie", "corrected t-test"),
        aliases=("region of practical equivalence",),
        source="Benavoli, Corani, Demsar and Zaffalon (2017), Time for a Change",
    ),
    Term(
        "seed",
        "The number from which all chance is drawn. The same seed repeats the same chance; other seeds show how much "
        "of a result is luck.",
        see=("noise", "duel"),
        is_everyday=True,
    ),
    Term(
        "study",
        "One problem with all trials on it, by hand and by machine. It is an ordinary Optuna study.",
        see=("trial", "child study"),
        aliases=("studies",),
        is_everyday=True,
    ),
    Term(
        "suite",
        "The same duel over several problems, with a ranking of the arms over all of them.",
        see=("duel", "arm"),
    ),
    Term(
        "tie",
        "No difference could be told. It does not prove that two are equal: with more folds one may turn out better.",
        see=("within noise", "ROPE"),
        aliases=("tied",),
    ),
    Term(
        "trial",
        "One configuration and its score. With rungs, one configuration at one level of resource.",
        see=("configuration", "fit", "study", "ensemble"),
        is_everyday=True,
    ),
    Term(
        "underfitting",
        "The model is too simple, or too tightly held, to learn even the training rows.",
        see=("overfitting", "learning curve"),
        aliases=("underfit",),
    ),
    Term(
        "validation curve",
        "The score against one hyperparameter of a trial, all others as they are.",
        see=("learning curve", "slice"),
    ),
    Term(
        "within noise",
        "A difference that the test cannot tell from the ups and downs between folds. Do not chase it.",
        see=("noise", "tie", "corrected t-test"),
    ),
    Term(
        "worker",
        "A process that fits models. More workers do more fits at a time.",
        see=("fit",),
        is_everyday=True,
    ),
)
