package main

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/figure"
	"samediff/sdlib/paper"
)

func (a *app) paperCommand() *cobra.Command {
	var summary, markdown, asJSON bool
	var into string
	cmd := &cobra.Command{
		Use:   "paper [ITEM]",
		Short: "The paper claim by claim: its values, ours, and whether they agree",
		Long: `paper prints the table of everything: each figure and table of the paper, and what its
text claims, with the value there or in the authors' logs, the value here with its
interval, the model that it is of, whether the two agree, what a value needs, and the
command that makes it. Where something is missing, the row says what, and the command is
the one that would make it.

Values are read from what comes with the repository, the folders and tables in models/ and
notebooks/results: nothing is computed. A result that is added there appears by itself.

A number agrees if it is at most .05 from the paper's; in part if it is further away and
what the claim says in words still holds, or if the claim holds for one property of two.
What is said to be at chance agrees if it is at most .1 from .5.
"small model" is one that was trained from scratch here and stands for a pretrained one.
"a drawing" explains a method and claims nothing.

--summary counts the claims of each part of the paper. --into FILE puts the table in the
place of the one that FILE has between two marks, as README.md and docs/paper.md have them.`,
		Example: `  sd paper
  sd paper "figure 3"
  sd paper --summary
  sd paper --summary --markdown --into README.md`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON && (summary || markdown || into != "") {
				return misuse(cmd, "--json prints every claim: leave --summary, --markdown and --into away")
			}
			claims := paper.Claims()
			if len(args) == 1 {
				if claims = claimsOf(claims, args[0]); len(claims) == 0 {
					return misuse(cmd, "nothing in the paper is called %q, expected a figure or a table such as \"figure 3\", or text", args[0])
				}
			}
			results, err := paper.OpenResults()
			if err != nil {
				return err
			}
			checked, err := paper.Check(results, claims)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(checked)
			}
			table := paper.ClaimTable(checked)
			if summary {
				table = paper.ClaimSummary(checked)
			}
			if into != "" {
				return fill(into, commandOf(summary, markdown), table, markdown)
			}
			return a.printAs(table, markdown)
		},
	}
	addJSON(cmd, &asJSON)
	cmd.Flags().BoolVar(&summary, "summary", false, "a line for each part of the paper")
	cmd.Flags().BoolVar(&markdown, "markdown", false, "write Markdown")
	cmd.Flags().StringVar(&into, "into", "", "file whose table is replaced, between two marks")
	return cmd
}

// claimsOf returns the claims about an item: "figure 3" or "Figure 3".
func claimsOf(claims []paper.Claim, item string) []paper.Claim {
	return slices.DeleteFunc(claims, func(c paper.Claim) bool { return !strings.EqualFold(c.Item, item) })
}

// printAs prints a table as text, or in Markdown.
func (a *app) printAs(t figure.Table, markdown bool) error {
	text, err := rendered(t, markdown)
	if err == nil {
		_, err = io.WriteString(a.out, text)
	}
	return err
}

func rendered(t figure.Table, markdown bool) (string, error) {
	if markdown {
		t.Title = "" // the page has a heading
		return t.Markdown()
	}
	return t.Text()
}

// commandOf is the command that makes a table.
func commandOf(summary, markdown bool) string {
	command := "sd paper"
	if summary {
		command += " --summary"
	}
	if markdown {
		command += " --markdown"
	}
	return command
}

// fill puts a table between the marks of a file: <!-- COMMAND --> and <!-- end -->.
func fill(path, command string, t figure.Table, markdown bool) error {
	text, err := rendered(t, markdown)
	if err != nil {
		return err
	}
	start, end := marks(command)
	return paper.FillIn(path, start, end, text)
}

// marks are the lines around the table that a command wrote to a file.
func marks(command string) (start, end string) {
	return "<!-- " + command + " -->\n", "<!-- end of " + command + " -->\n"
}
