-- What do LLMs think and not say? Each value in their reasoning and in their answers (parser.read: both).
select
    llm, "value",
    count(*) filter (where part = 'reasoning') as n_thought,
    count(*) filter (where part = 'answer') as n_said,
    round(avg(score) filter (where part = 'reasoning'), 3) as thought,
    round(avg(score) filter (where part = 'answer'), 3) as said,
    round(
        avg(score) filter (where part = 'reasoning') - avg(score) filter (where part = 'answer'), 3
    ) as difference
from marts.measured_sentences
group by llm, "value"
having n_thought > 0
order by abs(difference) desc nulls last, llm, "value"
