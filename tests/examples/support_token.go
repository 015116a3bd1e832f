// Package support signs tokens for Deskhand with AUTH_SECRET. It needs only Go's standard library.
package support

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"
)

// User is the person who is signed in. Email is empty if it was not verified.
type User struct {
	ID, Name, Email string
	Tenants         []string
}

// Token returns a token for user that is valid for five minutes.
func Token(user User, secret string) (string, error) {
	claims, err := json.Marshal(map[string]any{
		"sub":     user.ID,
		"name":    user.Name,
		"email":   user.Email,
		"tenants": user.Tenants,
		"scope":   "support_requests:create support_requests:read",
		"exp":     time.Now().Add(5 * time.Minute).Unix(),
	})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	content := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(claims)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(content))
	return content + "." + encode(mac.Sum(nil)), nil
}
