-- How many values do conversations hold, by the lexicon and by Schwartz's ten (appendix B.1)?
select
    lexicon, coalesce(topic, 'all') as topic, count(*) as conversations,
    round(avg(n_values), 2) as mean_values, min(n_values) as fewest,
    median(n_values) as median_values, max(n_values) as most,
    round(avg((n_values > 0)::int), 3) as share_with_any, round(avg(n_perceptions), 2) as perceptions
from analysis.coverage
group by grouping sets ((lexicon), (lexicon, topic))
order by topic = 'all' desc, topic, lexicon
