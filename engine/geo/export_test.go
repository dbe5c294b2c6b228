package geo

// Sin and Asin are for the tests.
var (
	Sin  = sin
	Asin = asin
)
