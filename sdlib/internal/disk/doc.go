// Package disk holds what the readers and writers of files of weights share: files mapped into memory, and files and folders that are replaced
// as a whole, so that a reader sees the old content or the new one and never half of one.
package disk
