"""What a run would have taken otherwise: its work as a graph, a scheduler that runs it again, and what the two predict."""
