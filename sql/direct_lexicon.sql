-- Which of Schwartz's ten values does a lexicon lack, ours and one asked for directly?
-- One is missing where no value of the lexicon reaches lexicon.cosine_threshold.
select lexicon, schwartz, nearest, round(cosine, 3) as cosine, missing
from analysis.direct_coverage
order by lexicon, cosine
