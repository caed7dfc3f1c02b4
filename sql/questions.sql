-- What were the subjects asked, and how many attitudes did their answers carry?
select
    q.question, q.text, q.value, round(q.attitude_share, 3) as attitude_share,
    count(distinct r.response) as responses, count(p.perception) as perceptions
from questions as q
left join responses as r using (question)
left join perceptions as p on r.response = p.parent
group by all
order by perceptions desc, q.question
