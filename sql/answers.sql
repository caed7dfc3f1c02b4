-- How did the LLMs answer: refusals, empty and cut-off answers, languages, answers without attitude?
select
    llm, n_questions, n_answers, n_refused, round(share_refused, 3) as share_refused,
    n_without_answer, n_cut_off, n_reasoned, n_other_languages, languages,
    round(share_silent, 3) as share_silent
from marts.llm_answers
order by share_refused desc, llm
