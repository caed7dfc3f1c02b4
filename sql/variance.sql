-- Where does the variance of each factor and value lie: between LLMs, between profiles, neither?
select
    kind, name, llms, profiles,
    round(between_llms / nullif(between_llms + between_profiles + residual, 0), 3) as share_llms,
    round(between_profiles / nullif(between_llms + between_profiles + residual, 0), 3)
        as share_profiles,
    caution
from analysis.variance_components
order by kind, share_llms desc, name
