module orders

go 1.24

require userd.example/go v0.0.0

require github.com/golang-jwt/jwt/v5 v5.3.1 // indirect

replace userd.example/go => ../../clients/go
