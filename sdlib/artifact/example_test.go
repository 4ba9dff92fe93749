package artifact_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"samediff/sdlib/artifact"
)

func ExampleValue() {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := artifact.Open(dir) // "" opens the default store
	if err != nil {
		log.Fatal(err)
	}

	key := artifact.Key{Step: "sum of squares", Version: 1, Params: map[string]int{"to": 10}}
	for range 2 {
		total, err := artifact.Value(context.Background(), store, key, func(context.Context) (int, error) {
			fmt.Println("computing")
			total := 0
			for i := range 11 {
				total += i * i
			}
			return total, nil
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(total)
	}
	// Output:
	// computing
	// 385
	// 385
}
