-- How is each fit index computed, and where is its formula from?
select "set", "index", formula, source, definition
from analysis.fit_definitions
order by "set" desc, "index"
