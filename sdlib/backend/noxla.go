//go:build !(cgo && !noxla && linux && (amd64 || arm64))

package backend

// openXLA says that this program was built without XLA.
func openXLA(_ *Backend, _, _ string) error {
	return &missingError{
		Short: "built without XLA",
		Long:  " (-tags noxla, CGO_ENABLED=0, or a platform that go-xla does not serve here)",
		Mend:  "build with cgo and without that tag, or use the backend \"" + Go + "\"",
	}
}
