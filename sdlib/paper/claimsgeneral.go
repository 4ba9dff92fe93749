package paper

// generalizationClaims are about Figure 6.
func generalizationClaims() []Claim {
	const needs = "alignment searches in and accuracies of six models on 32 combinations"
	check := missing("sd figure 6", "searches in several models of the 32 set")
	return []Claim{
		{OfGeneralization, "figure 6", "6", "Discrimination: the better shape and color can be swapped, the more accurate on new combinations", needs, "r = .97 over 6 models", check},
		{OfGeneralization, "figure 6", "6", "RMTS: the same", needs, "r = .62 over 5 models", check},
	}
}
