-- How do the corpus's sizes compare with the paper's Table 5?
select * from corpus_statistics
