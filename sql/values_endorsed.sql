-- Which values do the subjects endorse most, and which least?
select
    "value", round(avg(score), 3) as mean_score, round(stddev_samp(score), 3) as sd,
    round(avg(salience), 3) as how_much, round(avg(direction), 3) as which_way,
    count(score) as subjects, sum(n)::bigint as perceptions
from marts.subject_values
group by "value"
having count(score) > 0
order by avg(score) desc, "value"
