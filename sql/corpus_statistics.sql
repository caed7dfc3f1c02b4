-- How do the corpus's sizes compare with the paper's Table 5?
select * from marts.corpus_statistics
