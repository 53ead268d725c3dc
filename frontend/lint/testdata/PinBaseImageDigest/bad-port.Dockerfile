FROM localhost:5000/app:1.2.3
# want: 1
