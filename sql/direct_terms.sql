-- Which values do LLMs name when they are asked directly, and in how many lists?
select
    term, count(*) as lists, count(distinct llm) as llms, count(distinct profile) as profiles,
    round(count(*) / (select count(distinct list_id) from analysis.direct_terms), 3) as share
from analysis.direct_terms
group by term
order by lists desc, term
