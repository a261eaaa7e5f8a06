package store

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Argument is one argument of a prompt.
type Argument struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Required    bool   `json:"required"`
}

// Block is one message of a prompt with several.
type Block struct {
	Role     string `json:"role" jsonschema:"user or assistant"`
	Type     string `json:"type" jsonschema:"text, image or resource"`
	Text     string `json:"text,omitempty" jsonschema:"may hold {argument} placeholders"`
	Data     string `json:"data,omitempty" jsonschema:"base64, for an image"`
	MIMEType string `json:"mime_type,omitempty"`
	URI      string `json:"uri,omitempty" jsonschema:"for a resource; may hold {argument} placeholders"`
}

// Prompt is an MCP prompt: a template with arguments, or messages.
type Prompt struct {
	Meta
	Name        string     `json:"name"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Template    string     `json:"template" jsonschema:"text with {argument} placeholders; {{ and }} stand for braces"`
	Messages    []Block    `json:"messages" jsonschema:"instead of a template"`
	Arguments   []Argument `json:"arguments"`
	Tags        []string   `json:"tags"`
	IsEnabled   bool       `json:"is_enabled"`
}

// Head implements Entity.
func (p *Prompt) Head() *Meta { return &p.Meta }

// Kind implements Entity.
func (p *Prompt) Kind() Kind { return KindPrompt }

// Label implements Entity.
func (p *Prompt) Label() string { return p.Name }

// Enabled implements Entity.
func (p *Prompt) Enabled() bool { return p.IsEnabled }

// Secrets implements Entity; a prompt has none.
func (p *Prompt) Secrets() map[string]*Secret { return nil }

// PromptDraft makes a prompt.
type PromptDraft struct {
	Name        string     `json:"name"`
	Title       string     `json:"title,omitempty"`
	Description string     `json:"description"`
	Template    string     `json:"template,omitempty"`
	Messages    []Block    `json:"messages,omitempty"`
	Arguments   []Argument `json:"arguments,omitempty"`
	Tags        []string   `json:"tags,omitempty"`
	IsEnabled   *bool      `json:"is_enabled,omitempty"`
}

// New fills the defaults; Check judges the result.
func (d PromptDraft) New() *Prompt {
	p := &Prompt{
		Name: d.Name, Title: d.Title, Description: d.Description, Template: d.Template, Messages: d.Messages,
		Arguments: d.Arguments, Tags: d.Tags, IsEnabled: true,
	}
	set(&p.IsEnabled, d.IsEnabled)
	p.tidy()
	return p
}

// PromptPatch changes a prompt; an absent field is left alone.
type PromptPatch struct {
	ID          string      `json:"id"`
	Version     int         `json:"version" jsonschema:"the version you last read"`
	Name        *string     `json:"name,omitempty"`
	Title       *string     `json:"title,omitempty"`
	Description *string     `json:"description,omitempty"`
	Template    *string     `json:"template,omitempty"`
	Messages    *[]Block    `json:"messages,omitempty"`
	Arguments   *[]Argument `json:"arguments,omitempty"`
	Tags        *[]string   `json:"tags,omitempty"`
	IsEnabled   *bool       `json:"is_enabled,omitempty"`
}

// Target says what the patch is for.
func (p PromptPatch) Target() (id string, version int) { return p.ID, p.Version }

// Apply changes v.
func (p PromptPatch) Apply(v *Prompt) error {
	set(&v.Name, p.Name)
	set(&v.Title, p.Title)
	set(&v.Description, p.Description)
	set(&v.Template, p.Template)
	set(&v.Messages, p.Messages)
	set(&v.Arguments, p.Arguments)
	set(&v.Tags, p.Tags)
	set(&v.IsEnabled, p.IsEnabled)
	v.tidy()
	return nil
}

func (p *Prompt) tidy() {
	p.Name = strings.TrimSpace(p.Name)
	if p.Messages == nil {
		p.Messages = []Block{}
	}
	if p.Arguments == nil {
		p.Arguments = []Argument{}
	}
	if p.Tags == nil {
		p.Tags = []string{}
	}
}

// Blocks returns the messages; a template is one user message.
func (p *Prompt) Blocks() []Block {
	if len(p.Messages) > 0 {
		return p.Messages
	}
	return []Block{{Role: "user", Type: "text", Text: p.Template}}
}

// Check reports every field that breaks a rule, including placeholders without an argument and the reverse.
func (p *Prompt) Check() error {
	var f Fields
	checkName(&f, p.Name)
	checkTexts(&f, p.Title, p.Description)
	checkTags(&f, p.Tags)
	switch {
	case p.Template == "" && len(p.Messages) == 0:
		f.Add("template", "write a template, or messages")
	case p.Template != "" && len(p.Messages) > 0:
		f.Add("template", "a prompt has either a template or messages, not both")
	case utf8.RuneCountInString(p.Template) > MaxSQL || strings.ContainsRune(p.Template, 0):
		f.Add("template", "a template is at most %d characters of valid text", MaxSQL)
	case len(p.Messages) > 50:
		f.Add("messages", "at most 50 messages")
	}
	used := map[string]bool{}
	for i, b := range p.Blocks() {
		at := "template"
		if len(p.Messages) > 0 {
			at = fmt.Sprintf("messages.%d", i)
			f.Merge(at+".", b.check())
		}
		for _, text := range []string{b.Text, b.URI} {
			names, err := Placeholders(text)
			f.Merge(at, err)
			for _, n := range names {
				used[n] = true
			}
		}
	}
	declared := map[string]bool{}
	for i, a := range p.Arguments {
		at := fmt.Sprintf("arguments.%d.name", i)
		switch {
		case !parameterName.MatchString(a.Name):
			f.Add(at, "an argument name is 1 to 64 characters of A-Z a-z 0-9 _ and does not start with a digit%s", Got(a.Name))
		case declared[a.Name]:
			f.Add(at, "the argument %q is declared twice", a.Name)
		case !used[a.Name]:
			f.Add(at, "the argument %q is not used; write {%s} in the template or remove it", a.Name, a.Name)
		}
		declared[a.Name] = true
		if utf8.RuneCountInString(a.Description) > MaxDescription {
			f.Add(fmt.Sprintf("arguments.%d.description", i), "a description is at most %d characters", MaxDescription)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(used)) {
		if !declared[n] {
			f.Add("arguments", "the template uses {%s}, which is not declared as an argument", n)
		}
	}
	return f.Err()
}

func (b Block) check() error {
	var f Fields
	if !slices.Contains([]string{"user", "assistant"}, b.Role) {
		f.Add("role", "a role is user or assistant%s", Got(b.Role))
	}
	switch b.Type {
	case "text":
		if b.Text == "" {
			f.Add("text", "the message has no text")
		}
		if utf8.RuneCountInString(b.Text) > MaxSQL || strings.ContainsRune(b.Text, 0) {
			f.Add("text", "a message is at most %d characters of valid text", MaxSQL)
		}
	case "image":
		if _, err := base64.StdEncoding.DecodeString(b.Data); err != nil || b.Data == "" || !strings.HasPrefix(b.MIMEType, "image/") {
			f.Add("data", "an image needs base64 data and a MIME type that starts with image/")
		}
	case "resource":
		if b.URI == "" {
			f.Add("uri", "a resource block needs a uri")
		}
	default:
		f.Add("type", "a block is text, image or resource%s", Got(b.Type))
	}
	return f.Err()
}

// Placeholders returns the {argument} names of a template, in order of first use. {{ and }} stand for braces.
func Placeholders(template string) ([]string, error) {
	var names []string
	_, err := expand(template, func(name string) string {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		return ""
	})
	return names, err
}

// Expand fills a template with values; a name without a value becomes empty.
func Expand(template string, values map[string]string) (string, error) {
	return expand(template, func(name string) string { return values[name] })
}

func expand(t string, value func(name string) string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(t); i++ {
		switch {
		case strings.HasPrefix(t[i:], "{{"), strings.HasPrefix(t[i:], "}}"):
			b.WriteByte(t[i])
			i++
		case t[i] == '{':
			name, _, ok := strings.Cut(t[i+1:], "}")
			if !ok || !parameterName.MatchString(name) {
				return "", fmt.Errorf("a { starts no {argument} at character %d; write {{ for a brace", utf8.RuneCountInString(t[:i])+1)
			}
			b.WriteString(value(name))
			i += len(name) + 1
		case t[i] == '}':
			return "", fmt.Errorf("a } stands alone at character %d; write }} for a brace", utf8.RuneCountInString(t[:i])+1)
		default:
			b.WriteByte(t[i])
		}
	}
	return b.String(), nil
}
