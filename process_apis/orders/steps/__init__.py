"""Steps of order flows: one call to one neighbour each, safe to come twice."""
