-- One row per sentence of a subject's answer and value of the lexicon that it is relevant to.
-- llm: The LLM.
-- profile: Its profile.
-- subject_id: Key of the subject.
-- value: The value.
-- score: p_support - p_oppose, -1 to 1; null where p_either is the largest.
-- relevance: Probability that the sentence bears on the value.
-- p_support: Probability that it supports the value.
-- p_oppose: Probability that it opposes the value.
-- p_either: Probability that it does neither.
-- perception: The statement in words that can be understood alone.
-- words_in_answer: The words as they stand in the answer.
-- start_offset: First character of the words in the answer.
-- end_offset: One past their last character.
-- question: What was asked.
-- answer: The whole answer; the whole reasoning of words that stand there.
-- part: Whether the words stand in the answer, or in the reasoning before it.
-- sample: Which of the subject's answers to the question, from 1.
-- evaluator: Backend and model that measured it.
-- perception_id: Key of the perception.
-- response_id: Key of the answer.
-- question_id: Key of the question.
select
    s.llm, s.profile, m.subject_id, m."value", m.score, m.relevance, m.p_support, m.p_oppose,
    m.p_either, p.content as perception, p.sentence as words_in_answer, p.start_offset,
    p.end_offset, p.part, r.sample, q.content as question,
    case p.part when 'reasoning' then r.reasoning else r.answer end as answer,
    a.backend || ', ' || a.model as evaluator, m.perception_id, r.response_id, r.question_id
from evidence.measurements as m
inner join evidence.perceptions as p on m.perception_id = p.perception_id
inner join evidence.responses as r on p.parent_id = r.response_id
inner join evidence.questions as q on r.question_id = q.question_id
inner join evidence.subjects as s on m.subject_id = s.subject_id
left join internal.agents as a on m.agent_id = a.agent_id
where m.origin = 'subjects' and m.lexicon = 'lexicon'
