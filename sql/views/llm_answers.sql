-- One row per LLM: how it answered, before anything is measured.
-- llm: The LLM.
-- n_questions: Questions that it answered or refused.
-- n_answers: Its answers, of all profiles and samples.
-- n_refused: Of these refusals: they hold no attitudes.
-- share_refused: n_refused / n_answers.
-- n_without_answer: Of the others those that are empty: they hold reasoning alone.
-- n_cut_off: Those that ended at their limit of tokens.
-- n_reasoned: Those whose reasoning is known.
-- n_other_languages: Answers in another language than English, which the shipped agents do not know.
-- languages: These languages with their numbers, the most frequent first.
-- share_silent: Share of answers, refusals aside, in which no attitude was found.
-- share_silent_others: The same of answers in other languages; null where there are none.
with perceived as (
    select distinct parent_id from evidence.perceptions where origin = 'subjects'
),

answers as (
    select
        s.llm, r.*, p.parent_id is null and not r.refused as silent,
        r."language" is not null and r."language" <> 'en' and not r.refused as other
    from evidence.responses as r
    inner join evidence.subjects as s on r.subject_id = s.subject_id
    left join perceived as p on r.response_id = p.parent_id
),

languages as (
    select llm, string_agg("language" || ' ' || n, ', ' order by n desc, "language") as languages
    from (select llm, "language", count(*) as n from answers where other group by all)
    group by llm
)

select
    a.llm, count(distinct a.question_id) as n_questions, count(*) as n_answers,
    count(*) filter (where a.refused) as n_refused, avg(a.refused::int) as share_refused,
    count(*) filter (where a.answer = '' and not a.refused) as n_without_answer,
    count(*) filter (where a.finish = 'length') as n_cut_off,
    count(*) filter (where a.reasoning is not null) as n_reasoned,
    count(*) filter (where a.other) as n_other_languages, any_value(l.languages) as languages,
    avg(a.silent::int) filter (where not a.refused) as share_silent,
    avg(a.silent::int) filter (where a.other) as share_silent_others
from answers as a
left join languages as l on a.llm = l.llm
group by a.llm
