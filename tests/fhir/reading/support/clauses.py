"""Clauses of reports with what a careful reader takes from them: two letters a line, and the text.

``17p yes: ...`` is read, ``17p ---: ...`` is shown and not used. Several clauses of one report stand on one line.
"""

from collections.abc import Iterator

FIELDS = {"17p": "del_17p", "4;14": "t_4_14", "14;16": "t_14_16", "1q": "gain_1q"}
VALUES = {"yes": True, "no": False, "---": None}

READ = """
17p yes: del(17p) detected
17p yes: del(17p) detected in 65 % of nuclei
17p yes: del(17p): detected in 130 of 200 nuclei
17p yes: del(17p) detected in 130/200 nuclei (65 %)
17p yes: Deletion of 17p present in 65% of plasma cells.
17p yes: del(17)(p13.1) positive
17p yes: del(17)(p13) detected
17p yes: del17p detected
17p yes: DEL 17P: POSITIVE
17p yes: 17p13 deletion identified by FISH
17p yes: 17p- detected
17p yes: Positive for del(17p)
17p yes: Positive for deletion of TP53
17p yes: Loss of 17p was found
17p yes: TP53 deletion detected in 40 % (cut-off 10 %)
17p yes: Interphase FISH of CD138-positive plasma cells: del(17p) detected
17p yes: Result: del(17p) was detected by FISH.
17p yes: del(17p) in 65% of nuclei
17p yes: del(17p) detected in >90 % of nuclei
17p yes: FISH shows del(17p)
17p yes: Evidence of del(17p)
17p yes: Deletion 17p nachgewiesen
17p yes: Nachweis einer Deletion 17p in 45 % der Zellkerne
17p yes: del(17p) positiv
17p yes: Deletion 17p13 in 62,5 % der Plasmazellen nachweisbar
17p yes: Verlust von TP53 nachgewiesen
17p no: del(17p) not detected
17p no: del(17p) is not detected
17p no: del(17p) was not seen
17p no: No del(17p)
17p no: No del(17p) detected
17p no: No evidence of deletion 17p
17p no: No evidence for del(17p).
17p no: Negative for del(17p)
17p no: del(17p): negative
17p no: del(17p): none detected
17p no: del(17p) absent
17p no: del(17p) was not identified
17p no: Without del(17p)
17p no: del(17p) detected in 0 of 200 nuclei
17p no: del(17p): detected in 0 % of nuclei
17p no: del(17p) 0/200
17p no: del(17p) in 0% of cells
17p no: del(17p) in 3 % of nuclei (cut-off 10 %)
17p no: del(17p) not detected (3 %)
17p no: FISH shows no del(17p)
17p no: Kein Nachweis einer Deletion 17p
17p no: Deletion 17p nicht nachgewiesen
17p no: Deletion 17p nicht nachweisbar
17p no: Kein Hinweis auf Deletion 17p
17p no: Kein Anhalt für del(17p)
17p no: del(17p): negativ
17p no: Keine Deletion 17p nachweisbar
4;14 yes: t(4;14) detected
4;14 yes: t(4;14)(p16;q32) detected
4;14 yes: t(4;14)(p16.3;q32) positive in 80 % of nuclei
4;14 yes: t( 4 ; 14 ) detected
4;14 yes: t (4; 14) positive
4;14 yes: Translocation t(4;14) present
4;14 yes: IGH::FGFR3 fusion detected
4;14 yes: IGH/NSD2 rearrangement detected
4;14 yes: t(4;14) detected in 12 % of nuclei
4;14 yes: Translokation t(4;14) nachgewiesen
4;14 no: t(4;14): none seen
4;14 no: No evidence of t(4;14)
4;14 no: t(4;14) nicht nachweisbar
4;14 no: kein Hinweis auf t(4;14)
14;16 yes: t(14;16)(q32;q23) detected
14;16 yes: IGH::MAF fusion present in 55 % of nuclei
14;16 no: t(14;16) not found
1q yes: Gain of 1q present
1q yes: gain(1q) detected
1q yes: gain(1q21) detected in 60 % of nuclei
1q yes: 1q21+ detected
1q yes: amp(1q) positive
1q yes: amp1q detected
1q yes: 1q gain (3 copies)
1q yes: four copies of 1q
1q yes: 3 copies of 1q21 in 45 % of nuclei
1q yes: Amplification of 1q21 detected
1q yes: Zugewinn 1q nachgewiesen
1q no: Gain of 1q not detected
1q no: 1q gain: negative
1q no: No gain of 1q
"""

NOT_READ = """
17p ---: Clone with 17p-intact signal found in all nuclei
17p ---: 17p-arm intact, detected
17p ---: Patient's brother: del(17p) positive
17p ---: Donor: del(17p) detected
17p ---: del(17p) detected in the sibling
17p ---: Mother positive for del(17p)
17p ---: del(17p) detected: N
17p ---: del(17p) detected: no
17p ---: 17p-: flag no
17p ---: del(17p) detected?
17p ---: del(17p): ?
17p ---: Deletion of 17p is seen in about one in ten patients
17p ---: Deletion of 17p is seen in one of ten patients.
17p ---: del(17p) is associated with shorter survival
17p ---: del(17p) positive disease carries a poor prognosis
17p ---: High risk is defined as del(17p), t(4;14) or t(14;16) present
17p ---: Probes for del(17p), t(4;14) and t(14;16) were present on the panel
17p ---: Probe for del(17p) present
17p ---: Panel: del(17p)
17p ---: FISH for del(17p)
17p ---: Reason for test: rule out del(17p)
17p ---: Indication: del(17p) detected elsewhere
17p ---: Preliminary: del(17p) detected
17p ---: Preliminary: del(17p) detected. Amended report: normal pattern, earlier statement issued in error.
17p ---: AMENDED: previously reported as del(17p) detected
17p ---: del(17p) detected. This result was withdrawn.
17p ---: del(17p) detected previously
17p ---: At diagnosis 2019 del(17p) detected
17p ---: History of del(17p) positive
17p ---: del(17p) no longer detected
17p ---: del(17p) could not be detected because of insufficient cells
17p ---: del(17p) cannot be excluded
17p ---: Possible del(17p) detected
17p ---: Suspicious for del(17p)
17p ---: del(17p) not tested
17p ---: del(17p) not done
17p ---: del(17p) detected in 3 % of nuclei
17p ---: del(17p) detected in 3 %, below the threshold
17p ---: 17p deletion seen in 2% of nuclei, within normal limits
17p ---: del(17p) positive in 3 % of nuclei (cut-off 10 %)
17p ---: del(17p) not detected in 65 % of nuclei
17p ---: del(17p) detected. del(17p) not detected.
17p ---: del(17p) detected in the positive control
17p ---: del(17p) not present in this clone
17p ---: TP53 mutation detected
17p ---: Monosomy 17 detected
17p ---: -17 detected
17p ---: del(17p) and t(4;14)
17p ---: No del(17p), t(4;14) detected
17p ---: No evidence of t(4;14), del(17p) in 65% of nuclei
17p ---: Karyotype shows del(17p) and gain 1q, t(4;14) absent
17p ---: t(4;14) not detected but del(17p) detected
17p ---: del(17p) detected; in the sample of the donor
17p ---: The brother was found to have
17p ---: In patients where
17p ---: If del(17p) is detected, refer
17p ---: non-del(17p) clone present
17p ---: e.g. del(17p) detected
17p ---: z. B. del(17p) nachgewiesen
17p ---: Bruder: del(17p) nachgewiesen
17p ---: Verdacht auf del(17p)
17p ---: Deletion 17p fraglich nachweisbar
17p ---: Deletion 17p bei etwa 10 % der Patienten nachweisbar
17p ---: Vorbefund: Deletion 17p nachgewiesen
17p ---: Deletion 17p nicht auszuschließen
17p ---: Sonden: del(17p), t(4;14)
17p ---: Fragestellung: Deletion 17p nachweisbar
17p ---: Deletion 17p nicht untersucht
4;14 ---: t(4;14): probe present
4;14 ---: t(4;14) equivocal
4;14 ---: t(4;14) detected versus not detected
4;14 ---: IGH rearrangement detected
1q ---: 1q deletion detected
1q ---: 1q gain (2 copies)
1q ---: two of three patients have gain of 1q
"""


def table(text: str) -> Iterator[tuple[str, bool | None, str]]:
    """Field, value and clause of every line."""
    for line in filter(None, text.splitlines()):
        head, clause = line.split(": ", 1)
        change, value = head.split()
        yield FIELDS[change], VALUES[value], clause


MORE_READ = """
17p yes: Abnormal: deletion of chromosome 17p detected in 34,5 Prozent of plasma cells
17p yes: – del(17p) – detected
17p yes: 17p13.1 (TP53) deletion present
17p yes: Verlust 17p13 (TP53) nachgewiesen
17p yes: del(17p13.1) identified in 61 percent of nuclei
17p yes: Del(17)(p13): pos
17p yes: Monoallelic TP53 deletion detected in 80% of CD138-selected plasma cells
17p yes: one copy of TP53 in 70 % of nuclei
17p yes: Heterozygous deletion of 17p was detected in 21 % of interphase nuclei
17p no: del(17p): neg.
17p no: del(17p) – not detected
17p no: t(11;14): detected; del(17p): not detected
17p no: Absence of del(17p)
17p no: 17p deletion undetectable
17p no: del(17p) positive in 0 of 200 nuclei
17p no: keine Deletion 17p
17p no: Nachweis einer Deletion 17p: negativ
17p no: TP53-Deletion nicht vorhanden
17p no: del(17p) in 8,5 % der Zellkerne (Cut-off 10 %)
17p no: del(17p) detected in 2% of nuclei (cut-off: <5%)
4;14 yes: t(4;14)(p16;q32) FGFR3/IGH positive
4;14 yes: t(4;14) (IGH::NSD2) detected in 90 % of cells
4;14 yes: FGFR3::IGH fusion identified
4;14 no: t(4;14)(p16.3;q32.3) not identified
4;14 no: No t(4;14) was seen
14;16 no: IGH::MAF negative
14;16 no: Kein Nachweis einer Translokation t(14;16)
1q yes: Gain of chromosome 1q detected
1q yes: CKS1B gain present in 30 % of nuclei
1q yes: Amplifikation 1q21 nachweisbar
1q yes: dup(1q) detected
1q yes: 5 signals of CKS1B in 25 % of nuclei
1q no: two copies of 1q
1q no: gain(1q21) nicht nachweisbar
"""

AS_LABORATORIES_WRITE = """
17p yes: TP53 (17p13.1): deletion detected in 64% of nuclei
17p yes: TP53: Deletion in 64 % der Kerne nachgewiesen
17p no: TP53/17p13.1: No deletion detected.
17p no: TP53 gene deletion: absent
17p yes: TP53 heterozygous deletion detected
17p yes: Deletion of TP53 gene detected in 142/200 (71%) interphase nuclei
4;14 no: No t(4;14) (IGH::NSD2) fusion
1q yes: 1q21 gain/amp: detected
17p no: 17p13.1 (TP53) - deletion not detected
17p yes: Abnormal: loss of TP53 at 17p13.1 was observed in 88/100 nuclei (normal cutoff 9%).
17p yes: Loss of one TP53 signal (17p13.1) detected in 62% of cells
17p yes: High-risk cytogenetics: del(17p) detected in 58% of plasma cells.
17p no: TP53 deletion: 2% (normal <7%)
17p no: del(17p): not detected (reference range: <10%)
17p no: del(17p) neg., t(4;14) neg., t(14;16) neg.
4;14 yes: IGH/FGFR3 rearrangement t(4;14)(p16.3;q32): DETECTED in 81% of cells
4;14 yes: FGFR3/IGH fusion [t(4;14)] detected in 92% of cells
14;16 yes: The IGH-MAF fusion, t(14;16), was detected in 55% of plasma cells.
1q yes: three to four copies of 1q
1q yes: 1q gain (≥4 copies) present
1q yes: Amplification of 1q21 (CKS1B) detected in 80% of nuclei, 4 or more copies
1q yes: 1q21 (CKS1B): Zugewinn in 52% der Zellen
1q no: No gain or amplification of 1q21 (CKS1B) detected.
17p yes: Deletion of TP53 (17p13.1) was detected in 85.5% of the analyzed nuclei.
17p yes: FISH analysis detected a deletion of 17p (TP53) in 45% of plasma cells.
17p yes: The FISH study was positive for a deletion of 17p in 56% of nuclei
17p yes: Abnormal FISH result: del(17p) in 45% of nuclei
17p yes: Loss of TP53 (17p13) in 62% of cells (cut off 5.6%)
17p no: TP53/17p13.1 deletion: Not Detected
17p no: TP53 (17p13.1) Deletion - Not Detected
17p no: del(17p13.1)/TP53: negative
17p no: There is no evidence of a deletion 17p
17p no: FISH analysis revealed no deletion of 17p
17p no: Interphase FISH did not detect del(17p)
17p no: Es konnte keine Deletion 17p nachgewiesen werden
17p no: Deletion 17p konnte nicht nachgewiesen werden
17p no: Deletion 17p lässt sich nicht nachweisen
17p no: Es fanden sich keine Hinweise auf eine Deletion 17p
4;14 yes: An IGH::FGFR3 fusion was observed in 88.0% of cells
4;14 yes: t(4;14) IGH-FGFR3 : Positive (75% of nuclei)
4;14 no: IGH/FGFR3 t(4;14): Negative
1q yes: Gain/amplification of 1q (CKS1B): detected
1q no: 1q21 gain/amplification: not detected
"""

MORE_NOT_READ = """
17p ---: del(17p) detected in one parent
17p ---: Sister's marrow: del(17p) present
17p ---: The patient's father is positive for del(17p)
17p ---: del(17p) detected in cell line KMS-11
17p ---: Literature: del(17p) detected in 10 % of cases
17p ---: del(17p) is detected in 80 % of plasma cell leukaemia
17p ---: Definition: del(17p) present in at least 55 % of nuclei
17p ---: Cut-off for del(17p): 10 %
17p ---: Test positive if del(17p) detected
17p ---: Sensitivity for del(17p) detected: 98 %
17p ---: del(17p) detected: false
17p ---: del(17p) [ ] yes [x] no
17p ---: del(17p) positive / negative
17p ---: del(17p) yes/no
17p ---: del(17p) not negative
17p ---: del(17p) not yet detected
17p ---: del(17p) not only detected
17p ---: No longer del(17p)
17p ---: No new del(17p)
17p ---: Neither del(17p) nor t(4;14) excluded
17p ---: del(17p) absent or present
17p ---: del(17p) detected and not detected
17p ---: Unlikely del(17p)
17p ---: Rule out del(17p)
17p ---: Query del(17p) present
17p ---: Would be del(17p) positive
17p ---: del(17p) expected to be present
17p ---: del(17p) 2019: detected
17p ---: 12.03.2019 del(17p) detected
17p ---: del(17p) detected in 5 % to 30 % of nuclei
17p ---: del(17p) detected in 65 % of nuclei, 30 % of nuclei
17p ---: del(17p) in 130 of 200 nuclei (20 %)
17p ---: del(17p) in 300 of 200 nuclei
17p ---: del(17p) detected in 120 % of nuclei
17p ---: del(17p): 65 %
17p ---: del(17p) detected in <5 % of nuclei
17p ---: del(17p) detected in ~20 % of nuclei
17p ---: Loss of the 17p control probe detected
17p ---: 17p gain detected
17p ---: 17p normal
17p ---: 17q deletion detected
17p ---: TP53 detected
17p ---: TP53 wild type, deletion not assessed
17p ---: p53 overexpression detected by immunohistochemistry
17p ---: Amended: del(17p) not detected
17p ---: del(17p) detected. Addendum: sample exchanged.
17p ---: CORRECTED REPORT. del(17p) detected.
17p ---: del(17p) detected. Disregard the above.
17p ---: Befund storniert. del(17p) nachgewiesen.
17p ---: Spender-Knochenmark. del(17p) nachgewiesen.
17p ---: Mutter der Patientin: Deletion 17p positiv
17p ---: Deletion 17p noch nicht nachgewiesen
17p ---: Deletion 17p nicht sicher nachweisbar
17p ---: Deletion 17p nicht mehr nachweisbar
17p ---: Deletion 17p bisher nicht nachgewiesen
17p ---: Z. n. Deletion 17p, nachgewiesen 2018
17p ---: Ausschluss Deletion 17p
17p ---: Nachweis einer Deletion 17p mittels FISH
17p ---: Falls Deletion 17p nachweisbar
17p ---: Deletion 17p nachgewiesen?
17p ---: del(17p)-positive clone detected
17p ---: anti-del(17p) detected
17p ---: xdel(17p) detected
17p ---: del(17p)x detected
17p ---: "del(17p) detected"
17p ---: del(17p) & t(4;14) detected
17p ---: del(17p) with t(4;14) detected
17p ---: del(17p) detected with t(4;14)
17p ---: No evidence of del(17p) and t(4;14)
17p ---: t(4;14), del(17p) not detected
17p ---: No evidence of t(4;14), del(17p)
17p ---: t(4;14) absent, del(17p)
17p ---: detected del(17p), t(4;14) not detected
17p ---: del(17p) artefact, detected
17p ---: Result not found: del(17p)
17p ---: del(17p): result not found
17p ---: Test for del(17p): Befund nicht vorhanden
17p ---: del(17p): plasma cells not seen
17p ---: Plasma cells not found, del(17p)
17p ---: No plasma cells, del(17p)
17p ---: del(17p), no translocation
17p ---: del(17p), translocation not detected
17p ---: del(17p), no evidence of fusion
17p ---: No abnormality, del(17p)
17p ---: del(17p) no evidence of abnormality
17p ---: Kein Befund del(17p)
17p ---: Kein Ergebnis für del(17p)
17p ---: Keine Zellen mit del(17p) Analyse
17p ---: Positive FISH, del(17p)
17p ---: del(17p) shows rearrangement
4;14 ---: t(14;4) detected
4;14 ---: t(4;14;16) detected
4;14 ---: t(4;14) positive cells seen in controls
4;14 ---: FGFR3 overexpression detected
4;14 ---: IGH rearranged, t(4;14) probe next
14;16 ---: IGH::MAFB fusion detected
14;16 ---: t(14;16) in 12 % of patients
1q ---: 11q gain detected
1q ---: gain of 1p detected
1q ---: 1q loss detected
1q ---: three copies of 1q in 5 % of nuclei
1q ---: two or more copies of 1q
1q ---: two to three copies of 1q
1q ---: four to three copies of 1q
1q ---: up to three copies of 1q
17p ---: one to two copies of TP53
17p ---: at least one copy of TP53
17p ---: TP53: deletion of exon 4 detected
17p ---: TP53 (17p13.1): gain detected
17p ---: TP53: deletion and duplication not tested
17p ---: CEP17/TP53: deletion detected
17p ---: High-risk: del(17p), t(4;14), gain 1q
17p ---: TP53 deletion: 2 % (normal 93 %)
17p ---: No loss of one copy of chromosome 13 and TP53
1q ---: 1q21 (CKS1B): loss detected
1q ---: 1q21: gain cannot be evaluated
4;14 ---: FGFR3: rearrangement detected
4;14 ---: 4p16 (FGFR3): loss detected
4;14 ---: t(4;14) neg. control, patient not tested
1q ---: 1q gain detected with 2 copies
"""
