// Package docker has no code: it holds the container images' files and scripts (README.md), and their tests.
package docker
