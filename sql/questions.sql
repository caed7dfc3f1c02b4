-- What were the subjects asked, and how many attitudes did their answers carry?
select
    q.question_id, q.content as question, q.value, round(q.attitude_share, 3) as attitude_share,
    count(distinct r.response_id) as responses, count(p.perception_id) as perceptions
from evidence.questions as q
left join evidence.responses as r using (question_id)
left join evidence.perceptions as p on r.response_id = p.parent_id
group by all
order by perceptions desc, q.question_id
