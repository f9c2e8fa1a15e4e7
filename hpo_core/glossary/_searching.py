"""Words of searches and charts: how the next configuration is chosen, and what the trials show."""

from __future__ import annotations

from hpo_core.glossary._term import Term

SEARCHING = (
    Term(
        "ablation",
        "The way from one configuration to another, one change at a time, to see which change gained what.",
        see=("importance", "interaction", "default"),
        source="Fawcett and Hoos (2016), Analysing Differences Between Algorithm Configurations through Ablation",
    ),
    Term(
        "acquisition function",
        "What a model-based method maximises to choose the next trial: it weighs how good a place is expected to be "
        "against how little is known of it. Expected improvement is the best known.",
        see=("surrogate", "exploration", "exploitation"),
        aliases=("acquisition", "expected improvement"),
        source="Jones, Schonlau and Welch (1998), Efficient Global Optimization of Expensive Black-Box Functions",
    ),
    Term(
        "architecture",
        "How a network is built: how many layers, how wide, which kinds. Searching for it is tuning with "
        "hyperparameters that depend on each other.",
        see=("conditional parameter", "hyperparameter"),
        aliases=("architecture search",),
    ),
    Term(
        "Bayesian optimisation",
        "Search with a model of the score: it predicts each place and its own doubt, and picks the next trial by both.",
        see=("surrogate", "acquisition function", "Gaussian process"),
        source="Mockus, Tiesis and Zilinskas (1978), The application of Bayesian methods for seeking the extremum",
    ),
    Term(
        "bracket",
        "One of several races that Hyperband runs: many configurations that begin with little resource, or few that "
        "begin with much.",
        see=("Hyperband", "rung", "resource"),
    ),
    Term(
        "brush",
        "A range drawn on an axis of a chart. Trials outside it fade, and all charts and the table follow.",
        see=("child study",),
    ),
    Term(
        "CMA-ES",
        "An evolution strategy that moves a cloud of configurations downhill and learns the shape of the cloud, an "
        "ellipse, from its better half.",
        see=("generation", "evolution"),
        aliases=("CMA", "covariance matrix adaptation"),
        source="Hansen and Ostermeier (2001), Completely Derandomized Self-Adaptation in Evolution Strategies",
    ),
    Term(
        "conditional parameter",
        "A hyperparameter that counts only for some values of another: the degree of an SVM is used only by its "
        "polynomial kernel.",
        see=("hyperparameter", "search space"),
    ),
    Term(
        "early stopping",
        "Ending a fit when its score on rows kept aside no longer rises: the model is then not trained to overfit.",
        see=("overfitting", "pruning", "resource"),
        source="Prechelt (1998), Early Stopping - But When?",
    ),
    Term(
        "evolution",
        "Search by selection: good configurations have children that differ from them a little or mix two parents, "
        "and the worse die.",
        see=("generation", "population", "CMA-ES"),
        aliases=("evolutionary search", "genetic algorithm"),
    ),
    Term(
        "exploitation",
        "Looking near what is known to be good.",
        see=("exploration", "acquisition function"),
    ),
    Term(
        "exploration",
        "Looking where little is known, at the risk of a bad trial.",
        see=("exploitation", "acquisition function"),
    ),
    Term(
        "Gaussian process",
        "A model that draws a smooth surface through what was measured and says at every place how unsure it is.",
        see=("surrogate", "Bayesian optimisation"),
        aliases=("Gaussian processes",),
        source="Rasmussen and Williams (2006), Gaussian Processes for Machine Learning",
    ),
    Term(
        "generation",
        "The configurations that an evolutionary method tries together before it looks at who was good.",
        see=("population", "evolution"),
    ),
    Term(
        "grid search",
        "Trying every combination of a few chosen values. The number of trials multiplies with each hyperparameter.",
        see=("random search",),
    ),
    Term(
        "Hyperband",
        "Several brackets of successive halving, from many short trials to few long ones, as nobody knows beforehand "
        "how far early scores can be trusted.",
        see=("bracket", "rung", "successive halving"),
        source="Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar (2018), Hyperband",
    ),
    Term(
        "hypergradient",
        "The slope of the validation loss along the hyperparameters: which way to move them, and how steep it is.",
        see=("hyperparameter",),
        source="Bengio (2000), Gradient-Based Optimization of Hyperparameters",
    ),
    Term(
        "hypervolume",
        "How much of the space of two objectives a Pareto front dominates, up to a fixed bad point. More is better.",
        see=("Pareto front",),
        source="Zitzler and Thiele (1999), Multiobjective Evolutionary Algorithms",
    ),
    Term(
        "importance",
        "The share of the ups and downs of the score that a hyperparameter explains, within the ranges that were "
        "searched. In a narrower range it may matter less.",
        see=("interaction", "ablation"),
        aliases=("functional ANOVA",),
        source="Hutter, Hoos and Leyton-Brown (2014), An Efficient Approach for Assessing Hyperparameter Importance",
    ),
    Term(
        "interaction",
        "Two hyperparameters interact when the best value of one depends on the other: they must be tuned together.",
        see=("importance", "partial dependence"),
    ),
    Term(
        "isolation",
        "How good the score can still get with one hyperparameter held fixed and all others free.",
        see=("partial dependence", "slice"),
    ),
    Term(
        "landscape",
        "A function with a known best place that stands in for a model, to practise on: its optimum is known, so it "
        "can be said how near a search came.",
        see=("response surface", "regret"),
        aliases=("test function",),
    ),
    Term(
        "log scale",
        "An axis on which each step multiplies: 0.01, 0.1, 1. Right for hyperparameters of which ten times as much "
        "matters equally at both ends.",
        see=("search space",),
        aliases=("logarithmic scale",),
    ),
    Term(
        "method",
        "How a search chooses the next configuration.",
        see=("arm", "random search", "Bayesian optimisation"),
        aliases=("search method",),
        is_everyday=True,
    ),
    Term(
        "Pareto front",
        "Of two objectives, the trials that no other trial beats in both. Choosing among them is a matter of taste.",
        see=("hypervolume",),
    ),
    Term(
        "partial dependence",
        "What the score is on average along one hyperparameter, averaged over values of all others.",
        see=("isolation", "slice", "surrogate"),
        source="Friedman (2001), Greedy Function Approximation: A Gradient Boosting Machine",
    ),
    Term(
        "population",
        "The configurations that live at the same time in an evolutionary method.",
        see=("generation", "population-based training"),
    ),
    Term(
        "population-based training",
        "Models train side by side; from time to time the worst copy the weights of the best and change its "
        "hyperparameters a little. It finds a schedule, not one configuration.",
        see=("population", "resource"),
        aliases=("PBT",),
        source="Jaderberg et al. (2017), Population Based Training of Neural Networks",
    ),
    Term(
        "pruning",
        "Giving up a trial after some of its folds, or after little training, when it looks bad.",
        see=("race", "rung", "early stopping"),
        aliases=("pruned",),
    ),
    Term(
        "race",
        "A pruning rule: a trial is given up as soon as it is clearly behind the best on the folds that both have.",
        see=("pruning", "noise"),
        source="Maron and Moore (1994), Hoeffding Races",
        is_everyday=True,
    ),
    Term(
        "random search",
        "Configurations drawn by chance. When few of many hyperparameters matter it beats a grid, and it is the "
        "control that any clever method must beat.",
        see=("grid search", "baseline"),
        source="Bergstra and Bengio (2012), Random Search for Hyper-Parameter Optimization",
    ),
    Term(
        "regret",
        "How far a search still is from the best that is possible or known. 0 is perfect.",
        see=("budget", "response surface"),
    ),
    Term(
        "resource",
        "How much training a trial gets: epochs, trees or rows, as a share of the full training.",
        see=("rung", "bracket", "Hyperband"),
        is_everyday=True,
    ),
    Term(
        "response surface",
        "The score as land over the hyperparameters: heights are good, and tuning is looking for the summit.",
        see=("surrogate", "landscape", "slice"),
    ),
    Term(
        "rung",
        "A level of resource at which a method compares trials and lets only the best go on to the next.",
        see=("bracket", "resource", "successive halving"),
    ),
    Term(
        "search space",
        "The ranges and choices of all hyperparameters that a search may try.",
        see=("configuration", "log scale", "conditional parameter"),
    ),
    Term(
        "slice",
        "The trials seen along one hyperparameter: one dot each, whatever the others were.",
        see=("partial dependence", "isolation", "brush"),
        is_everyday=True,
    ),
    Term(
        "successive halving",
        "Many configurations get a little resource, the better part of them more, and so on, until few are fully "
        "trained.",
        see=("rung", "Hyperband"),
        source="Jamieson and Talwalkar (2016), Non-stochastic Best Arm Identification",
    ),
    Term(
        "surrogate",
        "A cheap model of the score, learned from the trials, that predicts configurations that were not tried.",
        see=("Gaussian process", "TPE", "acquisition function"),
    ),
    Term(
        "TPE",
        "The tree-structured Parzen estimator: it models where good trials lie and where the others lie, and tries "
        "what is likely among the good and unlikely among the others.",
        see=("surrogate", "Bayesian optimisation"),
        aliases=("Parzen estimator",),
        source="Bergstra, Bardenet, Bengio and Kegl (2011), Algorithms for Hyper-Parameter Optimization",
    ),
)
