// Package doctor examines a machine: what of this project works here, and how to mend
// what does not.
//
//	findings := doctor.Examine(ctx, doctor.Options{})
//	for _, f := range findings {
//		fmt.Println(f.State, f.Name, f.Detail, f.Mend)
//	}
//
// It looks at what the two commands of the README need: Go and a C compiler, the Python
// side with the notebook kernel, the backends (each is opened and multiplies two small
// matrices), the store of results and the disk it lies on. Nothing is installed and
// nothing is changed.
//
// A machine without a GPU is healthy. So is one outside the repository, where a program
// that uses the library has no notebooks to serve: what is not there and not needed is
// [Absent], and only what is needed and does not work is [Failed].
package doctor
