"""What users say in languages other than English to rule, limit, decide, correct, wish and agree: a file a language."""
