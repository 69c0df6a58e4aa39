"""Whole reports of plasma cell FISH and cytogenetics as laboratories write them, and what is read of each. \
Patients, people and numbers are invented."""

REPORTS: dict[str, tuple[str, dict[str, bool]]] = {
    "reference laboratory, abnormal": (
        """RESULT SUMMARY: Abnormal

RESULT:
nuc ish(TP53x1,D17Z1x2)[84/100]

INTERPRETATION:
del(17p): detected in 84% of nuclei
t(4;14): not detected
t(14;16): not detected

Deletion of 17p is associated with an adverse prognosis in multiple myeloma.

METHOD: Fluorescence in situ hybridization (FISH) was performed on CD138-enriched plasma cells using the \
following probes: TP53/D17Z1, FGFR3/IGH and IGH/MAF. A total of 100 interphase nuclei were scored for each probe set.

This test was developed and its performance characteristics determined by Mayo Clinic in a manner consistent \
with CLIA requirements. It has not been cleared or approved by the U.S. Food and Drug Administration.

Electronically signed by: Jane Q. Doe, M.D.""",
        {"del_17p": True, "t_4_14": False, "t_14_16": False},
    ),
    "reference laboratory, standard risk": (
        """Interpretation: Standard-risk.

t(11;14) detected in 78% of nuclei.
del(17p) not detected.
t(4;14) not detected.
t(14;16) not detected.
Gain of 1q not detected.

Plasma cells were enriched by CD138 immunomagnetic bead separation.
The following probes were used: CKS1B (1q21), FGFR3/IGH, CCND1/IGH, IGH/MAF, TP53/CEP17.

Correlation with clinical and morphologic findings is recommended.""",
        {"del_17p": False, "t_4_14": False, "t_14_16": False, "gain_1q": False},
    ),
    "myeloma panel, prose": (
        """FISH analysis was performed on CD138-selected plasma cells with a panel of probes for multiple myeloma. \
Deletion of 17p was detected in 62% of nuclei. No evidence of t(4;14) or t(14;16). \
Deletion of 17p (TP53) is a high-risk cytogenetic abnormality in plasma cell myeloma and is associated with \
shorter survival.""",
        {"del_17p": True, "t_4_14": False, "t_14_16": False},
    ),
    "karyotype and FISH": (
        """CHROMOSOME ANALYSIS: 46,XX[20]

Normal female karyotype.

FISH: t(4;14) detected in 65% of nuclei.

Twenty metaphase cells from unstimulated 24-hour and 48-hour cultures were analyzed by G-banding.""",
        {"t_4_14": True},
    ),
    "complex karyotype": (
        """45,XY,-13,t(4;14)(p16;q32),del(17)(p13)[8]/46,XY[12]

An abnormal clone was seen in 8 of 20 metaphase cells. The remaining 12 cells showed a normal male karyotype. \
These findings are consistent with plasma cell myeloma with high-risk cytogenetics.""",
        {"t_4_14": True, "del_17p": True},
    ),
    "negative panel": (
        """Negative for del(17p), t(4;14) and t(14;16).

Comment: No additional abnormalities were detected. A negative FISH result does not exclude the presence of \
other chromosomal abnormalities not targeted by this panel.

200 nuclei were scored per probe. Normal cut-off values were established by the laboratory.""",
        {"del_17p": False, "t_4_14": False, "t_14_16": False},
    ),
    "list with signal patterns": (
        """Specimen type: Bone marrow aspirate
Reason for referral: Multiple myeloma

Results:
- del(17p): negative
- t(4;14): positive
- t(14;16): negative
- gain(1q): positive

Signed by Dr. A. Example, PhD, FACMG""",
        {"del_17p": False, "t_4_14": True, "t_14_16": False, "gain_1q": True},
    ),
    "cut-offs in the method": (
        """del(17p) detected in 24% of nuclei.
gain(1q) not detected.

Methods: Interphase FISH was performed according to standard protocols. The laboratory cut-off is 10 %.""",
        {"gain_1q": False},  # the cut-off stands in a sentence that is not read
    ),
    "prognosis by R-ISS": (
        """t(4;14) detected in 88 % of nuclei.

According to the Revised International Staging System (R-ISS), t(4;14) is considered a high-risk abnormality.""",
        {"t_4_14": True},
    ),
    "references": (
        """t(14;16) detected in 55% of nuclei.

References:
1. Palumbo A, et al. J Clin Oncol 2015;33:2863-9.
2. Sonneveld P, et al. Blood 2016;127:2955-62.""",
        {"t_14_16": True},
    ),
    "treatment comment": (
        """t(11;14)(q13;q32) IGH/CCND1 fusion detected in 70% of nuclei.
del(17p) not detected.

Patients with t(11;14) may benefit from BCL2 inhibitor therapy such as venetoclax.""",
        {"del_17p": False},
    ),
    "hyperdiploid": (
        """FISH results: Trisomies of chromosomes 5, 9 and 15 were detected, consistent with a hyperdiploid clone. \
No evidence of del(17p). No evidence of t(4;14). No evidence of t(14;16). Gain of 1q present.""",
        {"del_17p": False, "t_4_14": False, "t_14_16": False, "gain_1q": True},
    ),
    "ISCN per probe": (
        """nuc ish(CKS1Bx3)[60/100]
nuc ish(TP53,D17Z1)x2[100]
nuc ish(FGFR3,IGH)x2[100]

Abnormal FISH study with gain of 1q.""",
        {"gain_1q": True, "del_17p": False, "t_4_14": False},
    ),
    "community laboratory": (
        """MYELOMA FISH PANEL

Clinical information: Newly diagnosed multiple myeloma, IgG kappa.

17p deletion: NOT DETECTED
t(4;14): NOT DETECTED
t(14;16): NOT DETECTED
1q gain: DETECTED

Reviewed by: John Smith, M.D.""",
        {"del_17p": False, "t_4_14": False, "t_14_16": False, "gain_1q": True},
    ),
    "short comment": (
        """del(17p) detected in 45% of plasma cells. This finding is associated with poor prognosis.""",
        {"del_17p": True},
    ),
    "German, FISH of selected cells": (
        """Material: Knochenmarkaspirat (EDTA)
Indikation: Multiples Myelom, Erstdiagnose
Methode: Interphase-FISH an CD138-selektierten Plasmazellen

Ergebnis:
Deletion 17p nachgewiesen in 58 % der Zellkerne.
Translokation t(4;14) nicht nachgewiesen.
Translokation t(14;16) nicht nachgewiesen.

Beurteilung: Die Deletion 17p ist beim Multiplen Myelom mit einer ungünstigen Prognose assoziiert.

Mit freundlichen Grüßen
Prof. Dr. med. E. Muster""",
        {"del_17p": True, "t_4_14": False, "t_14_16": False},
    ),
    "German, negative": (
        """Kein Nachweis einer Deletion 17p.
Kein Nachweis einer Translokation t(4;14).
Kein Nachweis einer Translokation t(14;16).

Es wurden jeweils 200 Zellkerne ausgewertet. Der Cut-off des Labors liegt bei 10 %.""",
        {"del_17p": False, "t_4_14": False, "t_14_16": False},
    ),
    "German, list": (
        """FISH-Analyse Plasmazellen

del(17p): negativ
t(4;14): positiv
t(14;16): negativ
gain(1q): positiv

Zytogenetische Hochrisikokonstellation gemäß IMWG.""",
        {"del_17p": False, "t_4_14": True, "t_14_16": False, "gain_1q": True},
    ),
    "German, karyotype": (
        """Karyotyp: 46,XY[20]

Unauffälliger männlicher Karyotyp.

Molekularzytogenetik: Deletion 17p13 in 62 % der Plasmazellen nachweisbar.

Verwendete Sonden: TP53/CEP17, IGH/FGFR3, IGH/MAF (Fa. MetaSystems).""",
        {"del_17p": True},
    ),
    "German, prose": (
        """Die FISH-Untersuchung wurde nach CD138-Anreicherung durchgeführt. Es konnte eine Translokation \
t(4;14) in 85 % der \
Zellkerne nachgewiesen werden. Eine Deletion 17p war nicht nachweisbar. Weitere Aberrationen wurden nicht \
untersucht.""",
        {"t_4_14": True, "del_17p": False},
    ),
    "German, MVZ with signature": (
        """Fragestellung: Plasmazellmyelom, Risikostratifizierung

Befund:
- del(17p): nicht nachgewiesen
- t(4;14): nicht nachgewiesen
- t(14;16): nicht nachgewiesen
- gain(1q): nachgewiesen

Der Zugewinn 1q gilt als ungünstiger prognostischer Marker.

Validiert von Dr. rer. nat. B. Beispiel, Fachhumangenetikerin""",
        {"del_17p": False, "t_4_14": False, "t_14_16": False, "gain_1q": True},
    ),
    "German, guideline": (
        """t(14;16) nachgewiesen.

Gemäß der aktuellen Leitlinie wird die t(14;16) den Hochrisikoaberrationen zugeordnet. Wir empfehlen die \
Korrelation mit der Klinik.""",
        {"t_14_16": True},
    ),
    "several texts of method": (
        """Technical note: Bone marrow cells were cultured for 24 hours without mitogens. Slides were prepared \
and hybridized \
overnight with Vysis LSI probes (Abbott Molecular). Nuclei were counterstained with DAPI. Signals were scored \
by two technologists.

Result: del(17p) was detected by FISH.""",
        {"del_17p": True},
    ),
    "disclaimer of ranges": (
        """gain(1q21) detected in 60 % of nuclei. t(4;14) not detected.

Reference range: less than 5% for gains, less than 8% for deletions.""",
        {"gain_1q": True, "t_4_14": False},
    ),
    "follow-up": (
        """Deletion of TP53 (17p13.1) detected in 31 % of nuclei.

The finding indicates persistent disease. Clinical correlation is required.""",
        {"del_17p": True},
    ),
    "tabulated": (
        """Probe | Result
1q21 gain: detected
TP53 deletion: not detected
IGH/FGFR3 fusion: not detected

Number of cells analyzed: 200""",
        {"del_17p": False, "t_4_14": False},  # the first line may go on from its heading
    ),
    "association in one sentence": (
        """FISH shows del(17p). Deletion of 17p occurs in approximately 10% of patients with newly diagnosed \
multiple myeloma and \
is associated with inferior progression-free and overall survival.""",
        {"del_17p": True},
    ),
    "smouldering": (
        """t(4;14) positive in 80 % of nuclei.

In smoldering multiple myeloma, t(4;14) is associated with a higher risk of progression (IMWG).""",
        {"t_4_14": True},
    ),
}
