# The same four commands as bootstrap.py, for fingers that type make.
.PHONY: setup check test demo
setup check test demo:
	python3 bootstrap.py $@
