// A service with orders on net/http: whoever is signed in sees their own, who may delete deletes.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"sync"

	userd "userd.example/go"
)

// orders of each account, by its id.
type orders struct {
	mutex sync.Mutex
	of    map[string][]string
}

func main() {
	users, err := userd.New(userd.Options{
		Issuer:       os.Getenv("USERD"),
		Audience:     os.Getenv("USERD_AUDIENCE"),
		ClientID:     os.Getenv("USERD_CLIENT_ID"),
		ClientSecret: os.Getenv("USERD_CLIENT_SECRET"),
	})
	if err != nil {
		log.Fatal(err)
	}
	listen := os.Getenv("LISTEN")
	if listen == "" {
		listen = "127.0.0.1:8001"
	}
	log.Print("http://", listen)
	log.Fatal(http.ListenAndServe(listen, routes(users)))
}

func routes(users *userd.Userd) http.Handler {
	kept := &orders{of: map[string][]string{}}
	routes := http.NewServeMux()
	routes.Handle("GET /orders", users.Require()(http.HandlerFunc(kept.own)))
	routes.Handle("POST /orders", users.Require()(http.HandlerFunc(kept.add)))
	routes.Handle("DELETE /orders/{owner}", users.Require(userd.Permission("orders.delete"))(http.HandlerFunc(kept.remove)))
	return routes
}

func (o *orders) own(w http.ResponseWriter, r *http.Request) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	answer(w, http.StatusOK, o.of[userd.FromContext(r.Context()).Subject])
}

func (o *orders) add(w http.ResponseWriter, r *http.Request) {
	var order struct {
		What string `json:"what"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&order); err != nil || order.What == "" {
		http.Error(w, `an order is {"what": "…"}`, http.StatusUnprocessableEntity)
		return
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	caller := userd.FromContext(r.Context()).Subject
	o.of[caller] = append(o.of[caller], order.What)
	answer(w, http.StatusCreated, o.of[caller])
}

func (o *orders) remove(w http.ResponseWriter, r *http.Request) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	owner := r.PathValue("owner")
	if _, found := o.of[owner]; !found {
		http.NotFound(w, r)
		return
	}
	delete(o.of, owner)
	w.WriteHeader(http.StatusNoContent)
}

func answer(w http.ResponseWriter, status int, list []string) {
	if list == nil {
		list = []string{}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(list)
}
