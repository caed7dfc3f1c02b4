"""The tables of the value system: suitability, factors, reliability, scores."""

from __future__ import annotations

from sqlmodel import SQLModel

from gpla_assets.storage.columns import ANALYSIS, column, key, share
from gpla_assets.storage.columns import score as score_of


class Suitability(SQLModel, table=True):
    __tablename__ = "suitability"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row on the subject x value matrix that was factored.",
    }
    matrix: str = key("The matrix: subject_values.")
    n_subjects: int = column("Subjects.")
    n_llms: int | None = column("LLMs that they are of.", default=None)
    n_values: int = column("Usable values.")
    ratio: float = column("Subjects per value.")
    kmo: float | None = share(
        "Kaiser-Meyer-Olkin sampling adequacy; null for a singular matrix.", default=None
    )
    bartlett_chi2: float | None = column("Bartlett's test of sphericity.", default=None)
    bartlett_df: int | None = column("Its degrees of freedom.", default=None)
    bartlett_p: float | None = share("Its p.", default=None)
    n_per_pair: float = column("Subjects behind the median pair of values.")
    missing_cells: int = column("Cells without a measurement.")
    missing_share: float = share("Their share.")
    missing_method: str = column("What was done with them: pairwise, listwise, mean, em.")
    smallest_eigenvalue: float = column("Smallest eigenvalue of the correlations as computed.")
    mended: str | None = column("How a matrix with negative eigenvalues was mended.", default=None)
    values_left_out: int = column("Values left out before the first extraction.")


class ValueSuitability(SQLModel, table=True):
    __tablename__ = "value_suitability"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per measured value: whether it can be factored.",
    }
    value: str = key("The value.")
    n_subjects: int = column("Subjects with a score.")
    coverage: float = share("Their share.")
    sd: float | None = column("Standard deviation over subjects.", default=None)
    per_cell: float | None = column(
        "Median measurements behind a measured cell: few make a score unreliable.", default=None
    )
    same_share: float = share("Share of its subjects that have its most frequent score.")
    status: str = column("usable, or why it was left out.")
    kmo: float | None = share("Its own sampling adequacy.", default=None)


class Eigenvalue(SQLModel, table=True):
    __tablename__ = "eigenvalues"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per component of the correlation matrix (the scree).",
    }
    component: int = key("Number of the component, from 1.")
    eigenvalue: float = column("Its eigenvalue.")
    explained: float = share("Share of the variance that it explains.")
    random_95: float = column("95th percentile of the eigenvalue in normal random data.")
    permuted_95: float | None = column(
        "95th percentile where each value's scores are permuted over subjects.", default=None
    )
    average_partial: float | None = column(
        "Velicer's average squared partial correlation after this component.", default=None
    )
    alpha: float | None = column(
        "Smallest Cronbach's alpha among the factors of a solution with this many.", default=None
    )
    retained: bool = column("Whether it is kept as a factor.")


class FactorRetention(SQLModel, table=True):
    __tablename__ = "factor_retention"
    __table_args__ = {"schema": ANALYSIS, "comment": "One row per rule for the number of factors."}
    rule: str = key("The rule.")
    n_factors: int = column("Factors that it recommends.")
    basis: str = column("What it goes by.")
    is_rule: bool = column("Whether the study goes by it.")
    retained: int = column("Factors that were kept.")


class Community(SQLModel, table=True):
    __tablename__ = "communities"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per usable value: its community in the network of values.",
    }
    value: str = key("The value.")
    community: int = column("Number of its community (exploratory graph analysis), from 1.")


class RedundantValues(SQLModel, table=True):
    __tablename__ = "redundant_values"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per pair of values with much the same neighbours in the network.",
    }
    value_a: str = key("A value.")
    value_b: str = key("Another, later in the alphabet.")
    overlap: float = column("Weighted topological overlap.")
    r: float = score_of("Their correlation over subjects.")
    partial_r: float = score_of("Their correlation less what the other values explain.")
    redundant: bool = column("Whether the overlap reaches structure.maximum_overlap.")
    shared_perceptions: float = share("Perceptions relevant to both, of those relevant to either.")


class ResponseBias(SQLModel, table=True):
    __tablename__ = "response_bias"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row: how far LLMs differ in one general direction, whatever the value.",
    }
    matrix: str = key("The matrix: subject_values.")
    n_llms: int = column("LLMs.")
    n_values: int = column("Usable values on which they differ.")
    general_share: float | None = share(
        "Share of the variance between LLMs that the most general direction takes.", default=None
    )
    ci_low: float | None = column("Lower end of its 95% interval over LLMs.", default=None)
    ci_high: float | None = column("Upper end.", default=None)
    same_sign: float | None = share("Values that point the same way along it.", default=None)
    caution: str | None = column("What a reader must know.", default=None)


class FactorFitRow(SQLModel, table=True):
    __tablename__ = "factor_fit"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row: how well the factors reproduce the correlations of the values kept.",
    }
    matrix: str = key("The matrix: subject_values.")
    n_subjects: int = column("Subjects.")
    n_per_pair: float = column("Harmonic mean of the subjects of a pair.")
    df: int = column("Degrees of freedom of the model.")
    chi2: float | None = column("Of the likelihood; null of principal components.", default=None)
    p: float | None = share("Its p.", default=None)
    null_chi2: float | None = column("Of uncorrelated values.", default=None)
    null_df: int = column("Its degrees of freedom.")
    rmsr: float = column("Root mean square of residual correlations.")
    rmsr_corrected: float | None = column("The same over degrees of freedom.", default=None)
    rmsea: float | None = column("Root mean square error of approximation.", default=None)
    rmsea_low: float | None = column("Lower end of its 90% interval.", default=None)
    rmsea_high: float | None = column("Upper end.", default=None)
    tli: float | None = column("Tucker and Lewis' index.", default=None)
    bic: float | None = column("chi2 less df ln n.", default=None)
    chi2_residuals: float = column("Of squared residuals times subjects (psych's empirical).")
    p_residuals: float | None = share("Its p.", default=None)
    off_diagonal: float = column("Share of squared correlations that is reproduced.")


class Loading(SQLModel, table=True):
    __tablename__ = "loadings"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per factor and value of the rotated solution.",
    }
    factor: str = key("The factor.")
    value: str = key("The value.")
    loading: float = column("Pattern coefficient; a correlation where factors are orthogonal.")
    structure: float | None = column("Correlation of the value with the factor.", default=None)
    is_primary: bool = column("Whether this is the value's largest absolute loading.")
    keyed: int = column("1 or -1: the sign of the loading.")
    communality: float = column("Share of the value's variance that the factors explain.")
    complexity: float | None = column("Factors that the value stands on (Hofmann).", default=None)
    kept: bool = column("Whether purification kept the value; those it removed have no row.")


class OtherLoading(SQLModel, table=True):
    __tablename__ = "rotations"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per rotation, factor and value: the same values beside.",
    }
    rotation: str = key(
        "none, varimax, oblimin or promax.", among=("none", "varimax", "oblimin", "promax")
    )
    factor: str = key("The factor, in that rotation's own order.")
    value: str = key("The value.")
    loading: float = column("Pattern coefficient.")
    structure: float = column("Correlation of the value with the factor.")


class FactorCorrelation(SQLModel, table=True):
    __tablename__ = "factor_correlations"
    __table_args__ = {"schema": ANALYSIS, "comment": "One row per ordered pair of factors."}
    factor_a: str = key("A factor.")
    factor_b: str = key("A factor.")
    r: float = score_of("Correlation by the rotation; 0 between orthogonal factors.")


class ValueRemoval(SQLModel, table=True):
    __tablename__ = "value_removals"
    __table_args__ = {"schema": ANALYSIS, "comment": "One row per value that purification removed."}
    value: str = key("The value.")
    round: int = column("Round of its removal; 0 before the first extraction.")
    reason: str = column("The rule that it broke.")
    loading: float | None = column("Its primary loading then.", default=None)
    gap: float | None = column("Distance to its second loading then.", default=None)
    alpha: float | None = column("Alpha of its factor, where that was the reason.", default=None)
    alpha_without: float | None = column("Alpha of its factor without it.", default=None)


class FactorReliability(SQLModel, table=True):
    __tablename__ = "reliabilities"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per factor: its values' internal consistency.",
    }
    factor: str = key("The factor.")
    name: str = column("Its leading values.")
    n_values: int = column("Values whose primary loading is on it.")
    n_subjects: int = column("Subjects that alpha was computed from.")
    subjects_used: str | None = column(
        "all subjects, or how missing cells were handled: pairwise, complete cases, mean, em.",
        default=None,
    )
    alpha: float | None = column("Cronbach's alpha.", default=None)
    ci_low: float | None = column("Lower end of alpha's 95% interval (Feldt).", default=None)
    ci_high: float | None = column("Upper end of alpha's 95% interval.", default=None)
    alpha_standardised: float | None = column("Alpha of the correlations.", default=None)
    omega: float | None = column(
        "McDonald's omega total of one factor, by the variance that it implies.", default=None
    )
    omega_observed: float | None = column(
        "Omega total by the variance of the sum as it is (psych's).", default=None
    )
    split_half: float | None = column(
        "Mean reliability over halves, corrected to full length (Horst).", default=None
    )
    split_half_low: float | None = column("Lowest of the halves.", default=None)
    split_half_high: float | None = column("Highest of the halves.", default=None)
    mean_r: float | None = column("Mean correlation between its values.", default=None)
    variance_explained: float = column("Share of the variance, after rotation.")
    interpretable: bool = column("False where subjects are too few for the values.")
    caution: str | None = column("What a reader must know before using it.", default=None)


class ValueReliability(SQLModel, table=True):
    __tablename__ = "value_reliabilities"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per factor and value of it: the value within its scale.",
    }
    factor: str = key("The factor.")
    value: str = key("The value.")
    # of pairwise correlations it may pass 1
    r_rest: float | None = column("Correlation with the rest of the factor's values.", default=None)
    alpha_without: float | None = column("Alpha without the value.", default=None)


class FactorScore(SQLModel, table=True):
    __tablename__ = "factor_scores"
    __table_args__ = {"schema": ANALYSIS, "comment": "One row per subject and factor."}
    subject_id: str = key("The subject.")
    factor: str = key("The factor.")
    score: float | None = column("The score by the study's method.", default=None)
    keyed_mean: float | None = column("Mean of the keyed values, -1 to 1.", default=None)
    regression: float | None = column("Thurstone's regression score (z).", default=None)
    bartlett: float | None = column("Bartlett's score (z).", default=None)
    standard_error: float | None = column(
        "Standard error of measurement of the keyed mean, by alpha.", default=None
    )
    n_values: int = column("Values measured, of those that the score is over.")


class VarianceComponent(SQLModel, table=True):
    __tablename__ = "variance_components"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per value and per factor: where its variance lies.",
    }
    kind: str = key("value or factor.", among=("value", "factor"))
    name: str = key("The value or the factor.")
    llms: int = column("LLMs.")
    profiles: int = column("Profiles.")
    cells: int = column("Subjects with a score.")
    between_llms: float | None = column("Variance between LLMs.", default=None)
    between_profiles: float | None = column("Variance between profiles.", default=None)
    residual: float | None = column("What neither explains.", default=None)
    caution: str | None = column("Why components are null or 0.", default=None)


STRUCTURE_TABLES: tuple[type[SQLModel], ...] = (
    Suitability,
    ValueSuitability,
    Eigenvalue,
    FactorRetention,
    Community,
    RedundantValues,
    ResponseBias,
    FactorFitRow,
    Loading,
    OtherLoading,
    FactorCorrelation,
    ValueRemoval,
    FactorReliability,
    ValueReliability,
    FactorScore,
    VarianceComponent,
)
