"""`strata demo`: orders as shoppers place them, and the way each of them takes through the house."""
